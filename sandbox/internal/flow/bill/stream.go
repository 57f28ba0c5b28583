package bill

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
)

func (c section) stream(zipped bool) *gate.Stream {
	if zipped {
		return &gate.Stream{Content: "application/x-gzip", Body: newZip(c.reader()), Size: -1}
	}
	return &gate.Stream{Content: "text/plain; charset=utf-8", Body: c.reader(), Size: c.size}
}

// encrypted is the section under AEAD_AES_256_GCM, with a nonce of 16 bytes and no associated data.
func (c section) encrypted(zipped bool, key, nonce []byte) *gate.Stream {
	plain := c.stream(zipped)
	encrypted, err := apiv3.SealAESGCMStream(key, nonce, nil, plain.Body)
	if err != nil {
		panic(fmt.Sprintf("sandbox: encrypting a bill: %v", err)) // the key was made here
	}
	file := &gate.Stream{Content: "application/octet-stream", Body: encrypted, Size: -1}
	if plain.Size >= 0 {
		const tag = 16
		file.Size = plain.Size + tag
	}
	return file
}

// zip compresses what it reads.
type zip struct {
	from  io.Reader
	to    *gzip.Writer
	out   bytes.Buffer
	piece []byte
	ended error
}

func newZip(from io.Reader) *zip {
	z := &zip{from: from, piece: make([]byte, 64<<10)}
	z.to, _ = gzip.NewWriterLevel(&z.out, gzip.BestSpeed)
	return z
}

func (z *zip) Read(p []byte) (int, error) {
	for z.out.Len() == 0 {
		if z.ended != nil {
			return 0, z.ended
		}
		n, err := z.from.Read(z.piece)
		z.to.Write(z.piece[:n])
		if err != nil {
			z.to.Close()
			z.ended = err
		}
	}
	return z.out.Read(p)
}
