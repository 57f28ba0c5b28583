package webhook

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/wxpay-go/wxpay/apiv3"
)

// signResponse is the built-in ResponseSigner.
func (c *config) signResponse(_ context.Context, m *Merchant, d *Delivery, body []byte) (string, error) {
	if !m.canSign() {
		return "", fmt.Errorf("%w: the response must be signed: Merchant needs ID, Serial and PrivateKey", apiv3.ErrKey)
	}
	if d.Target == "" {
		return "", errors.New("the response must be signed: Delivery needs Target")
	}
	caller := apiv3.Authorization{
		ID: m.ID, Serial: m.Serial, Nonce: rand.Text(), Timestamp: strconv.FormatInt(c.clock().Unix(), 10),
	}
	header, _, err := apiv3.SignRequest(m.scheme(), m.PrivateKey, caller, http.MethodPost, d.Target, body)
	return header, err
}
