package keylist

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
)

// response is a list as the platform signed it, which is also the form of a copy in a store.
type response struct {
	Header http.Header `json:"header"`
	Body   []byte      `json:"body"`
}

// signature returns the list's signature, not verified, and the time that it names.
func (r response) signature() (apiv3.Signature, time.Time, error) {
	signature, err := apiv3.ReadSignature(r.Header)
	if err != nil {
		return signature, time.Time{}, err
	}
	seconds, err := strconv.ParseInt(signature.Timestamp, 10, 64)
	return signature, time.Unix(seconds, 0), err
}

// storeTimeout bounds one access to a store.
const storeTimeout = 5 * time.Second

// load returns the copy in a store; found is false if there is none.
func load(ctx context.Context, store Store, name string) (copied response, found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	data, err := store.Load(ctx, name)
	if err == nil && data != nil {
		found = true
		err = json.Unmarshal(data, &copied)
	}
	return copied, found, err
}

// save puts a copy into a store: the body and the headers that its signature is in.
func save(ctx context.Context, store Store, name string, list response) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	copied := response{Header: http.Header{}, Body: list.Body}
	for _, name := range [...]string{
		apiv3.HeaderSerial, apiv3.HeaderTimestamp, apiv3.HeaderNonce, apiv3.HeaderSignature, apiv3.HeaderSignatureType,
	} {
		if values := list.Header[name]; len(values) > 0 {
			copied.Header[name] = values
		}
	}
	data, err := json.Marshal(copied)
	if err != nil {
		return err
	}
	return store.Save(ctx, name, data)
}
