package bill

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/download"
)

// file is one file of a bill, or a receipt, as a response announces it.
type file struct {
	Sequence   int    `json:"bill_sequence"`
	HashType   string `json:"hash_type"`
	HashValue  string `json:"hash_value"`
	URL        string `json:"download_url"`
	EncryptKey string `json:"encrypt_key"`
	Nonce      string `json:"nonce"`

	key []byte // what EncryptKey holds
}

func (f *file) encrypted() bool { return f.EncryptKey != "" }

func (f *file) digest() download.Digest {
	if f.HashType == "" || f.HashValue == "" {
		return download.Digest{}
	}
	return download.Digest{Algorithm: f.HashType, Value: f.HashValue}
}

// decryptKey fills in the key of an encrypted file.
func (f *file) decryptKey(decrypt func([]byte) ([]byte, error)) error {
	key, err := decrypt([]byte(f.EncryptKey))
	switch {
	case err != nil:
		return fmt.Errorf("the key of part %d cannot be decrypted with the merchant's private key: %w", f.Sequence, err)
	case len(key) == 16:
		return fmt.Errorf("part %d is encrypted with SM4: apply with AEAD_AES_256_GCM", f.Sequence)
	case len(key) != apiv3.KeySize:
		return fmt.Errorf("the key of part %d has %d bytes instead of %d", f.Sequence, len(key), apiv3.KeySize)
	}
	f.key = key
	return nil
}

// parseApplication reads the files that the response to an application lists, in order. There are
// none of an empty bill.
func parseApplication(body []byte, unreadable func(error) error) ([]file, error) {
	var a struct {
		file
		Count *int   `json:"download_bill_count"`
		List  []file `json:"download_bill_list"`
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, fmt.Errorf("the response to the application cannot be read: %w", unreadable(err))
	}
	files := a.List
	if a.Count == nil && len(a.List) == 0 {
		files = []file{a.file}
	}
	slices.SortFunc(files, func(p, q file) int { return p.Sequence - q.Sequence })
	if a.Count != nil && *a.Count != len(files) {
		return nil, fmt.Errorf("the response to the application announces %d parts and lists %d", *a.Count, len(files))
	}
	for i, f := range files {
		switch {
		case f.URL == "":
			return nil, errors.New("the response to the application has no download_url: the chain is not one of a bill")
		case i == 0 && f.Sequence != 0 && f.Sequence != 1:
			return nil, fmt.Errorf("the bill begins with part %d", f.Sequence)
		case i > 0 && f.Sequence != files[i-1].Sequence+1:
			return nil, fmt.Errorf("part %d of the bill follows part %d", f.Sequence, files[i-1].Sequence)
		}
	}
	return files, nil
}
