package mcp

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/wxpay-go/wxpay/sandbox"
)

type signed struct {
	Request string `json:"request" jsonschema:"the HTTP request as sent: request line, headers with Authorization, an empty line, the body"`
}

type notified struct {
	Headers map[string]string `json:"headers" jsonschema:"headers as received; the four Wechatpay ones are needed"`
	Body    string            `json:"body" jsonschema:"the body byte for byte as received, not parsed and printed again"`
	At      string            `json:"at,omitempty" jsonschema:"time as of which it is verified, RFC 3339 or seconds since 1970; now if left out"`
	Sandbox bool              `json:"sandbox,omitempty" jsonschema:"take the keys of the running sandbox instead of those of the environment"`
	Show    bool              `json:"show,omitempty" jsonschema:"return the decrypted resource of a valid notification"`
}

func (s *server) addProofs(p *mcp.Server) {
	tool(p, "explain_signature", "Explain why the signature of a pasted request is rejected, line by line. The request has to be signed with "+
		"the keys of the sandbox (see sandbox_start), for no other key is known here.", true, s.signature)
	tool(p, "verify_notification", "Verify a notification step by step: headers, time, key, signature, decryption, kind. The keys are those "+
		"of the environment, or of the sandbox.", true, s.notification)
}

// authorized finds the merchant and the time in Authorization.
var authorized = regexp.MustCompile(`mchid="(\d{8,10})".*timestamp="(\d{10})"|timestamp="(\d{10})".*mchid="(\d{8,10})"`)

// signature sends a request to a sandbox whose clock shows the time of the request, so that its age is no matter.
func (s *server) signature(ctx context.Context, in signed) (string, error) {
	head, body, long := strings.Cut(in.Request, "\r\n\r\n")
	if !long {
		head, body, _ = strings.Cut(in.Request, "\n\n")
	}
	request, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head + "\n\n")))
	if err != nil {
		return "", errors.New("this is not an HTTP request: a request line such as POST /v3/… HTTP/1.1, headers, an empty line, the body")
	}
	found := authorized.FindStringSubmatch(request.Header.Get("Authorization"))
	if found == nil {
		return "", errors.New("the request has no Authorization with mchid and timestamp, so there is no signature to explain")
	}
	seconds, err := strconv.ParseInt(found[2]+found[3], 10, 64)
	if err != nil {
		return "", err
	}
	gateway, err := sandbox.New(sandbox.WithMerchant(found[1]+found[4]),
		sandbox.WithClock(func() time.Time { return time.Unix(seconds, 0) }))
	if err != nil {
		return "", err
	}
	defer gateway.Close()
	request.Body, request.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	gateway.ServeHTTP(&discarder{header: make(http.Header)}, request.WithContext(ctx))
	if all := gateway.Journal.All(); len(all) > 0 && all[0].Verified {
		return "the signature verifies; the age of the request was not looked at", nil
	}
	explanation, err := gateway.Journal.Explain("")
	if err != nil {
		return "", err
	}
	return foreign("the request is rejected", explanation), nil
}

// discarder is a response that nobody reads.
type discarder struct{ header http.Header }

func (d *discarder) Header() http.Header         { return d.header }
func (d *discarder) Write(p []byte) (int, error) { return len(p), nil }
func (d *discarder) WriteHeader(int)             {}

func (s *server) notification(ctx context.Context, in notified) (string, error) {
	environ := s.sh.Environ
	if in.Sandbox {
		gateway, err := s.started()
		if err != nil {
			return "", err
		}
		environ = gateway.Env()
	}
	content, err := json.Marshal(map[string]any{"headers": maps.Clone(in.Headers), "body": in.Body})
	if err != nil {
		return "", err
	}
	args := []string{"webhook", "verify", "-"}
	if in.At != "" {
		args = append(args, "--at="+in.At)
	}
	if in.Show {
		args = append(args, "--show")
	}
	code, stdout, stderr := s.command(ctx, environ, string(content), args...)
	if code > 1 {
		return "", errors.New(strings.TrimSpace(stderr))
	}
	if in.Show {
		return foreign(strings.TrimSpace(stderr), stdout), nil
	}
	return fmt.Sprintf("%s%s", stdout, stderr), nil
}
