package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// minimalPrograms are the smallest programs that make one call with each client, in a module of
// their own as a user has it. That of the floor signs, and for the rest shows what the standard
// library alone comes to.
var minimalPrograms = []struct{ who, module, source string }{
	{"floor", "", `package main

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
	{"wxpay", "github.com/wxpay-go/wxpay", `package main

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
	{"official", "github.com/wechatpay-apiv3/wechatpay-go", `package main

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
	{"gopay", "github.com/go-pay/gopay", `package main

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
func (r *recording) minimal() error {
	core, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	for _, p := range minimalPrograms {
		folder := filepath.Join(r.folder, "minimal-"+p.who)
		if err := os.Mkdir(folder, 0o755); err != nil {
			return err
		}
		mod := "module minimal\n\ngo 1.26.0\n"
		if p.module != "" {
			version, err := run("go", "list", "-m", "-f", "{{.Version}}", p.module)
			if err != nil {
				return err
			}
			mod += fmt.Sprintf("\nrequire %s %s\n", p.module, strings.TrimSpace(string(version)))
		}
		if p.who == "wxpay" {
			mod += fmt.Sprintf("\nreplace %s => %s\n", p.module, core)
		}
		for name, text := range map[string]string{"go.mod": mod, "main.go": p.source} {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
				return err
			}
		}
		in := func(args ...string) (lines int, err error) {
			command := exec.Command("go", args...)
			command.Dir = folder
			command.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0")
			out, err := output(command)
			if err != nil {
				return 0, err
			}
			return len(slices.DeleteFunc(strings.Split(string(out), "\n"), func(line string) bool { return line == "" || line == "minimal" })), nil
		}
		if _, err := in("mod", "tidy"); err != nil {
			return err
		}
		modules, err := in("list", "-m", "all")
		if err != nil {
			return err
		}
		packages, err := in("list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".")
		if err != nil {
			return err
		}
		if _, err := in("build", "-trimpath", "-ldflags=-s -w", "-o", "program", "."); err != nil {
			return err
		}
		program, err := os.Stat(filepath.Join(folder, "program"))
		if err != nil {
			return err
		}
		// The program's own module counts among those that go list -m all prints, and its package
		// is none of the client's.
		fmt.Fprintf(r.out, "BenchmarkMinimal/%s 1 %d modules %d packages %d size-bytes\n", p.who, modules+1, packages, program.Size())
	}
	return nil
}
