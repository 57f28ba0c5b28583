// Package send signs a request as its merchant once more and sends it to the sandbox, and writes it as the code that does
// the same.
package send

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
)

// kept is how much the journal keeps of a body, in bytes.
const kept = 64 << 10

// Again sends the request of an entry again, with a new signature, and returns the entry of the new one.
func Again(ctx context.Context, s *sandbox.Sandbox, e sandbox.Entry) (sandbox.Entry, error) {
	if len(e.Body) >= kept {
		return e, errors.New("the journal keeps the first 64 KiB of a body only, so this request cannot be sent again")
	}
	scheme, key, caller, err := callerOf(s, e)
	if err != nil {
		return e, err
	}
	signed, err := signedPart(e)
	if err != nil {
		return e, err
	}
	caller.Nonce, caller.Timestamp = rand.Text(), strconv.FormatInt(time.Now().Unix(), 10)
	authorization, _, err := apiv3.SignRequest(scheme, key, caller, e.Method, e.Target, signed)
	if err != nil {
		return e, err
	}
	request, err := http.NewRequestWithContext(ctx, e.Method, "http://sandbox"+e.Target, bytes.NewReader(e.Body))
	if err != nil {
		return e, fmt.Errorf("the request cannot be sent again: %w", err)
	}
	request.Header = e.Header.Clone()
	for _, name := range []string{"Connection", "Content-Length", "Transfer-Encoding", "Accept-Encoding"} {
		request.Header.Del(name)
	}
	request.Header.Set("Authorization", authorization)
	response, err := s.Transport().RoundTrip(request)
	if err == nil {
		_, _ = io.Copy(io.Discard, response.Body) // the journal has it
		response.Body.Close()
	}
	if made, ok := Find(s, func(e sandbox.Entry) bool { return e.Header.Get("Authorization") == authorization }); ok {
		return made, nil // also when a fault kept the response
	}
	return e, errors.Join(errors.New("the journal has no such request any more"), err)
}

// callerOf returns the keys of the merchant, or of the brand, whose request it was; the first merchant's if it named nobody.
func callerOf(s *sandbox.Sandbox, e sandbox.Entry) (apiv3.Scheme, crypto.Signer, apiv3.Authorization, error) {
	if strings.HasPrefix(e.Target, "/brand/") {
		b, err := s.Brand()
		return apiv3.Brand(), b.PrivateKey, apiv3.Authorization{ID: b.ID, Serial: b.Serial}, err
	}
	m := ViewOf(s, e.Merchant).Merchant()
	return apiv3.RSA(), m.PrivateKey, apiv3.Authorization{ID: m.ID, Serial: m.Serial}, nil
}

// ViewOf returns the sandbox as a merchant sees it, or as the first one does.
func ViewOf(s *sandbox.Sandbox, merchant string) *sandbox.Sandbox {
	for _, view := range s.Merchants() {
		if view.Merchant().ID == merchant {
			return view
		}
	}
	return s.Merchants()[0]
}

// Merchants returns the numbers of the merchants.
func Merchants(s *sandbox.Sandbox) []string {
	var ids []string
	for _, view := range s.Merchants() {
		ids = append(ids, view.Merchant().ID)
	}
	return ids
}

// Key is the number of an effect, as the sandbox's methods take it.
func Key(e sandbox.Effect) string {
	if e.Sub != "" {
		return e.Sub + "/" + e.Number
	}
	return e.Number
}

// signedPart is the part of the body that a signature covers: all of it, but the meta part of an upload.
func signedPart(e sandbox.Entry) ([]byte, error) {
	media, parameters, err := mime.ParseMediaType(e.Header.Get("Content-Type"))
	if err != nil || media != "multipart/form-data" {
		return e.Body, nil
	}
	reader := multipart.NewReader(bytes.NewReader(e.Body), parameters["boundary"])
	for {
		part, err := reader.NextRawPart()
		if err != nil {
			return nil, errors.New("the upload has no part meta, so it cannot be signed")
		}
		if part.FormName() == "meta" {
			return io.ReadAll(part)
		}
	}
}

// recent is how far back a request that was just sent is looked for.
const recent = 1000

// Find returns the newest entry that is meant, among the last ones.
func Find(s *sandbox.Sandbox, meant func(sandbox.Entry) bool) (sandbox.Entry, bool) {
	n := 0
	for e := range s.Journal.Backward(0) {
		if meant(e) {
			return e, true
		}
		if n++; n == recent {
			break
		}
	}
	return sandbox.Entry{}, false
}

// Entry returns the entry of a number.
func Entry(s *sandbox.Sandbox, number int64) (sandbox.Entry, bool) {
	for e := range s.Journal.Backward(number + 1) {
		return e, e.Number == number
	}
	return sandbox.Entry{}, false
}
