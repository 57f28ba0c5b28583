package cli_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// savedFaults are the notifications that scripts find as KIND.http.
var savedFaults = []fault.Kind{
	fault.WrongSignature, fault.UnknownSerial, fault.StaleTimestamp, fault.Probe, fault.WrongAPIv3Key,
	fault.MissingHeaders, fault.DuplicateHeaders, fault.EmptyAssociatedData,
}

// writeNotifications saves notifications of the script's sandbox where the scripts of webhook verify find them.
func writeNotifications(env *testscript.Env, s *sandbox.Sandbox) error {
	if !strings.Contains(filepath.Base(env.WorkDir), "webhook_verify") {
		return nil
	}
	var problems []error
	write := func(name string, data []byte) {
		problems = append(problems, os.WriteFile(filepath.Join(env.WorkDir, name), data, 0o600))
	}
	save := func(name, event string, resource any, faults ...fault.Kind) (header http.Header, body []byte) {
		request, err := s.Deliveries.Notify(event, resource, faults...)
		if err != nil {
			problems = append(problems, err)
			return nil, nil
		}
		body, err = io.ReadAll(request.Body)
		problems = append(problems, err)
		request.Header.Set("Content-Length", strconv.Itoa(len(body)))
		write(name+".http", dump(request.Header, body))
		return request.Header, body
	}
	header, body := save("valid", "TRANSACTION.SUCCESS", nil)
	for _, kind := range savedFaults {
		save(string(kind), "TRANSACTION.SUCCESS", nil, kind)
	}
	save("unknown-event", "TOMORROW.HAPPENED", `{"openid":"oUpF8uMuAJO"}`)
	save("other-type", "TRANSACTION.SUCCESS/refund", nil)
	save("sealed", "MEMBERCARD.ACCEPT_CARD", nil)
	if err := s.Keys.SetPublicKeyShare(0); err != nil {
		return err
	}
	save("certificate", "TRANSACTION.SUCCESS", nil)
	for i, c := range s.Keys.Certificates() {
		write(fmt.Sprintf("platform%d.pem", i), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}

	// The same notification, saved in other ways.
	text, err := json.Marshal(string(body))
	problems = append(problems, err)
	names, err := json.Marshal(header)
	problems = append(problems, err)
	single := make(map[string]string)
	for name := range header {
		single[strings.ToLower(name)] = header.Get(name)
	}
	lower, err := json.Marshal(single)
	problems = append(problems, err)
	var laidOut bytes.Buffer
	problems = append(problems, json.Indent(&laidOut, body, "", "  "))
	write("arrays.json", fmt.Appendf(nil, `{"headers":%s,"body":%s}`, names, text))
	write("lower.json", fmt.Appendf(nil, "\n{\"header\":%s,\"body\":%s,\"level\":\"info\"}\n", lower, text))
	write("gateway.json", fmt.Appendf(nil, `{"headers":%s,"isBase64Encoded":true,"body":%q}`, lower,
		base64.StdEncoding.EncodeToString(body)))
	write("object.json", fmt.Appendf(nil, `{"headers":%s,"body":%s}`, lower, body))
	write("laid-out.json", fmt.Appendf(nil, `{"headers":%s,"body":%s}`, lower, laidOut.Bytes()))
	bare := header.Clone()
	bare.Del("Content-Length")
	whole := dump(bare, body)
	_, withoutRequestLine, _ := bytes.Cut(whole, []byte("\r\n"))
	write("bare.http", bytes.ReplaceAll(withoutRequestLine, []byte("\r\n"), []byte("\n")))
	write("line-break.http", append(bytes.Clone(whole), '\n'))
	write("line-breaks.http", append(bytes.Clone(whole), "\r\n\r\n"...))
	write("line-break-counted.http", append(dump(header, body), '\n'))
	write("cut.http", dump(header, body[:len(body)-3]))
	write("changed.http", dump(header, bytes.Replace(body, []byte(`"create_time":"2`), []byte(`"create_time":"3`), 1)))
	chunked := bare.Clone()
	chunked.Set("Transfer-Encoding", "chunked")
	write("chunked.http", dump(chunked, fmt.Appendf(nil, "5\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", body[:5], len(body)-5, body[5:])))
	write("body.json", body)
	write("headers.http", bytes.TrimRight(whole[:len(whole)-len(body)], "\r\n"))
	return errors.Join(problems...)
}

// dump is the form of a request on the wire.
func dump(header http.Header, body []byte) []byte {
	var out bytes.Buffer
	out.WriteString("POST /notify HTTP/1.1\r\nHost: shop.example.com\r\n")
	if err := header.Write(&out); err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	out.WriteString("\r\n")
	out.Write(body)
	return out.Bytes()
}
