package wxpay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/wxpay-go/wxpay/internal/call"
	"github.com/wxpay-go/wxpay/internal/keylist"
	"github.com/wxpay-go/wxpay/wxcode"
)

// readList returns the function that reads the platform's certificate list once.
func readList(line *call.Line, path string) keylist.Read {
	return func(ctx context.Context) (http.Header, []byte, error) {
		prepared, err := line.Prepare(ctx, &call.Spec{Path: "/" + path}, http.MethodGet, nil)
		if err != nil {
			return nil, nil, err
		}
		res, err := prepared.Send(ctx)
		if err != nil {
			return nil, nil, explainList(err)
		}
		return res.Header, res.Raw, nil
	}
}

// explainList turns the two codes for a missing list into ErrNoCertificates. Documentation and
// libraries differ on the code.
func explainList(err error) error {
	var rejection *APIError
	var unverified *VerifyError
	status, code := 0, wxcode.Code("")
	switch {
	case errors.As(err, &rejection):
		status, code = rejection.Status, rejection.Code
	case errors.As(err, &unverified):
		// The platform signs the responses to such a merchant with a public key that this client
		// does not have.
		var body struct{ Code wxcode.Code }
		if json.Unmarshal(unverified.Body, &body) == nil {
			status, code = unverified.Status, body.Code
		}
	}
	if status == http.StatusNotFound && (code == wxcode.ResourceNotExists || code == wxcode.NotFound) {
		return fmt.Errorf("%w (%w)", ErrNoCertificates, err)
	}
	return err
}
