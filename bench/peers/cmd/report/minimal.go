package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/bench/peers/internal/report"
)

type minimalProgram struct{ who, source string }

// minimalPrograms are the smallest programs that make one call with each client, in a module of
// their own as a user has it. That of the floor signs, and for the rest shows what the standard
// library alone comes to.
var minimalPrograms = []minimalProgram{
	{"floor", `package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"
)

func main() {
	text, err := os.ReadFile(os.Getenv("WXPAY_PRIVATE_KEY"))
	if err != nil {
		log.Fatal(err)
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		log.Fatal(err)
	}
	req, err := http.NewRequest("GET", "https://api.mch.weixin.qq.com/v3/pay/transactions/id/1?mchid=1900000109", nil)
	if err != nil {
		log.Fatal(err)
	}
	timestamp, nonce := time.Now().Unix(), rand.Text()
	digest := sha256.Sum256(fmt.Appendf(nil, "GET\n%s\n%d\n%s\n\n", req.URL.RequestURI(), timestamp, nonce))
	signature, err := rsa.SignPKCS1v15(nil, key.(*rsa.PrivateKey), crypto.SHA256, digest[:])
	if err != nil {
		log.Fatal(err)
	}
	req.Header.Set("Authorization", fmt.Sprintf("WECHATPAY2-SHA256-RSA2048 mchid=%q,nonce_str=%q,timestamp=\"%d\",serial_no=%q,signature=%q",
		os.Getenv("WXPAY_MCHID"), nonce, timestamp, os.Getenv("WXPAY_SERIAL"), base64.StdEncoding.EncodeToString(signature)))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	var order map[string]any
	if err := json.NewDecoder(res.Body).Decode(&order); err != nil {
		log.Fatal(err)
	}
	fmt.Println(order["trade_state"])
}
`},
	{"wxpay", `package main

import (
	"context"
	"fmt"
	"log"

	"github.com/wxpay-go/wxpay"
)

func main() {
	client, err := wxpay.FromEnv()
	if err != nil {
		log.Fatal(err)
	}
	res, err := client.Chain("v3/pay/transactions/id/{transaction_id}", "1").Query("mchid", "1900000109").Get(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Get("trade_state"))
}
`},
	{"official", `package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/core/option"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/native"
	"github.com/wechatpay-apiv3/wechatpay-go/utils"
)

func main() {
	key, err := utils.LoadPrivateKeyWithPath(os.Getenv("WXPAY_PRIVATE_KEY"))
	if err != nil {
		log.Fatal(err)
	}
	public, err := utils.LoadPublicKeyWithPath(os.Getenv("WXPAY_PUBLIC_KEY"))
	if err != nil {
		log.Fatal(err)
	}
	client, err := core.NewClient(context.Background(), option.WithWechatPayPublicKeyAuthCipher(os.Getenv("WXPAY_MCHID"), os.Getenv("WXPAY_SERIAL"), key, os.Getenv("WXPAY_PUBLIC_KEY_ID"), public))
	if err != nil {
		log.Fatal(err)
	}
	service := native.NativeApiService{Client: client}
	order, _, err := service.QueryOrderById(context.Background(), native.QueryOrderByIdRequest{TransactionId: core.String("1"), Mchid: core.String("1900000109")})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(*order.TradeState)
}
`},
	{"gopay", `package main

import (
	"context"
	"fmt"
	"log"
	"os"

	wechat "github.com/go-pay/gopay/wechat/v3"
)

func main() {
	key, err := os.ReadFile(os.Getenv("WXPAY_PRIVATE_KEY"))
	if err != nil {
		log.Fatal(err)
	}
	public, err := os.ReadFile(os.Getenv("WXPAY_PUBLIC_KEY"))
	if err != nil {
		log.Fatal(err)
	}
	client, err := wechat.NewClientV3(os.Getenv("WXPAY_MCHID"), os.Getenv("WXPAY_SERIAL"), os.Getenv("WXPAY_APIV3_KEY"), string(key))
	if err != nil {
		log.Fatal(err)
	}
	if err := client.AutoVerifySignByPublicKey(public, os.Getenv("WXPAY_PUBLIC_KEY_ID")); err != nil {
		log.Fatal(err)
	}
	order, err := client.V3TransactionQueryOrder(context.Background(), wechat.TransactionId, "1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(order.Response.TradeState)
}
`},
}

// minimal builds them and counts the packages and modules in them.
func (r *recording) minimal(programs []minimalProgram) error {
	for _, p := range programs {
		if err := r.do("minimal-"+p.who, func(w io.Writer) error {
			fmt.Fprint(w, "round: 0\nrsa: in\n")
			modules, packages, size, err := build(filepath.Join(r.folder, "minimal-"+p.who), p.source)
			if err != nil {
				report.WriteAbsent(w, "Minimal/"+p.who, err.Error())
				return nil
			}
			_, err = fmt.Fprintf(w, "BenchmarkMinimal/%s 1 %d linked-modules %d packages %d size-bytes\n", p.who, modules, packages, size)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// build builds a program as a module of its own in folder, which it makes. It asks no network:
// versions and checksums are those of this module, and the modules must be in the module cache.
//
// The modules are those of the program's packages and the program itself.
func build(folder, source string) (modules, packages int, size int64, err error) {
	if err := os.Mkdir(folder, 0o755); err != nil {
		return 0, 0, 0, err
	}
	file := filepath.Join(folder, "main.go")
	if err := os.WriteFile(file, []byte(source), 0o644); err != nil {
		return 0, 0, 0, err
	}
	out, err := run("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Version}} {{with .Replace}}{{.Dir}}{{end}}{{end}}", file)
	if err != nil {
		return 0, 0, 0, err
	}
	modules = 1
	mod := "module minimal\n\ngo 1.26.0\n"
	needed := strings.Split(string(out), "\n")
	slices.Sort(needed)
	for _, line := range slices.Compact(needed) {
		switch fields := strings.Fields(line); len(fields) {
		case 3:
			mod += fmt.Sprintf("\nreplace %s => %s\n", fields[0], fields[2])
			fallthrough
		case 2:
			mod += fmt.Sprintf("\nrequire %s %s\n", fields[0], fields[1])
			modules++
		}
	}
	sums, err := os.ReadFile("go.sum")
	if err != nil {
		return 0, 0, 0, err
	}
	for name, text := range map[string][]byte{"go.mod": []byte(mod), "go.sum": sums} {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil {
			return 0, 0, 0, err
		}
	}
	lines := func(args ...string) (int, error) {
		command := exec.Command("go", args...)
		command.Dir = folder
		command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "GOPROXY=off", "CGO_ENABLED=0")
		out, err := output(command)
		return strings.Count(string(out), "\n"), err
	}
	if packages, err = lines("list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "."); err != nil {
		return 0, 0, 0, err
	}
	if _, err := lines("build", "-trimpath", "-ldflags=-s -w", "-o", "program", "."); err != nil {
		return 0, 0, 0, err
	}
	program, err := os.Stat(filepath.Join(folder, "program"))
	if err != nil {
		return 0, 0, 0, err
	}
	return modules, packages - 1, program.Size(), nil // the program itself is no package of the client
}
