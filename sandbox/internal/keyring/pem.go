package keyring

import (
	"encoding/pem"
	"fmt"
	"strings"
)

func pemText(kind string, key any, marshal func(any) ([]byte, error)) string {
	der, err := marshal(key)
	if err != nil {
		panic(fmt.Sprintf("sandbox: a key cannot be written: %v", err)) // the keys were made here
	}
	return strings.TrimSuffix(string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})), "\n")
}
