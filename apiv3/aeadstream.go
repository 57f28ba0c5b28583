package apiv3

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/wxpay-go/wxpay/internal/redact"
)

// AESGCMStream decrypts AEAD_AES_256_GCM of any size with bounded memory, in two passes over the
// same ciphertext: write all of it to the stream as received, call [AESGCMStream.Authenticate],
// then decrypt. It decrypts nothing before that, so it never releases unauthenticated data. The
// first pass runs at the speed of the standard library.
//
// Use it for files, and [OpenAESGCM] for data that fits into memory. It is not safe for concurrent
// use.
type AESGCMStream struct {
	block func() cipher.Block // hidden, since its members tell the key
	hash  *ghash
	j0    [16]byte
	extra uint64 // length of the associated data in bytes

	size          uint64 // of what is in hash, in bytes
	buffer        []byte // what is not in hash yet: at least the last tagSize bytes, which may be the tag
	authenticated bool
	ended         bool // Authenticate has decided
}

// Format prints the size under every verb.
func (s AESGCMStream) Format(state fmt.State, verb rune) { redact.Format(state, verb, s.text()) }

// MarshalText returns the text that Format prints.
func (s AESGCMStream) MarshalText() ([]byte, error) { return []byte(s.text()), nil }

func (s *AESGCMStream) text() string {
	return fmt.Sprintf("apiv3.AESGCMStream{%d bytes, key redacted}", s.size)
}

// streamPiece is the size in bytes of one step of the hash. Larger ones are not faster.
const streamPiece = 64 << 10

// maxAESGCM is the longest plaintext in bytes that GCM allows for one key and nonce.
const maxAESGCM = 1<<36 - 32

// NewAESGCMStream starts a stream. key has 32 bytes. nonce is the bytes in the message (16 for
// encrypted bills), of any length above zero. additional is the associated data, empty for bills.
func NewAESGCMStream(key, nonce, additional []byte) (*AESGCMStream, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("%w: the key has %d bytes instead of %d", ErrKey, len(key), KeySize)
	}
	if len(nonce) == 0 {
		return nil, fmt.Errorf("%w: the nonce is empty", ErrDecrypt)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	hash, err := newGHASH(block)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	s := &AESGCMStream{block: redact.Hide(block), hash: hash, extra: uint64(len(additional)), buffer: make([]byte, 0, streamPiece+tagSize)}
	if len(nonce) == 12 {
		copy(s.j0[:], nonce)
		s.j0[15] = 1
	} else {
		hash.add(nonce)
		hash.block(element{lo: 8 * uint64(len(nonce))})
		hash.take().append(s.j0[:0])
	}
	hash.add(additional)
	return s, nil
}

var errEnded = errors.New("apiv3: the ciphertext is complete already")

// Write adds the next bytes of the ciphertext, with the 16-byte tag at the end. It fails only
// beyond the limit of GCM (about 64 GiB) and after Authenticate.
func (s *AESGCMStream) Write(p []byte) (n int, err error) {
	if s.ended {
		return 0, errEnded
	}
	for n = len(p); len(p) > 0; {
		room := cap(s.buffer) - len(s.buffer)
		taken := min(room, len(p))
		s.buffer = append(s.buffer, p[:taken]...)
		p = p[taken:]
		if len(s.buffer) == cap(s.buffer) {
			if s.size+streamPiece > maxAESGCM {
				return n - len(p), fmt.Errorf("%w: it is longer than GCM allows", ErrDecrypt)
			}
			s.absorb(streamPiece)
		}
	}
	return n, nil
}

// absorb moves n bytes of the buffer into the hash.
func (s *AESGCMStream) absorb(n int) {
	s.hash.add(s.buffer[:n])
	s.size += uint64(n)
	s.buffer = s.buffer[:copy(s.buffer, s.buffer[n:])]
}

// Authenticate returns nil if the tag proves the whole ciphertext, else ErrDecrypt.
func (s *AESGCMStream) Authenticate() error {
	if s.authenticated {
		return nil
	}
	if s.ended {
		return ErrDecrypt
	}
	s.ended = true
	rest := len(s.buffer) - tagSize
	if rest < 0 {
		return fmt.Errorf("%w: the ciphertext is shorter than its tag", ErrDecrypt)
	}
	s.absorb(rest)
	tag := s.tag()
	if subtle.ConstantTimeCompare(tag[:], s.buffer) != 1 {
		return ErrDecrypt
	}
	s.authenticated = true
	return nil
}

// tag ends the hash and returns the tag.
func (s *AESGCMStream) tag() (tag [tagSize]byte) {
	s.hash.block(element{8 * s.extra, 8 * s.size})
	var mask [tagSize]byte
	s.block().Encrypt(mask[:], s.j0[:])
	s.hash.take().plus(readElement(mask[:])).append(tag[:0])
	return tag
}

// Size returns the length of the authenticated plaintext in bytes.
func (s *AESGCMStream) Size() int64 { return int64(s.size) }

// Decrypt returns a reader of the plaintext. ciphertext must be the same bytes as written, from the
// first one; the reader ignores the tag. Decrypt may be called several times. Every read before
// authentication is ErrDecrypt.
func (s *AESGCMStream) Decrypt(ciphertext io.Reader) io.Reader {
	return &aesGCMReader{source: ciphertext, stream: s}
}

// aesGCMReader is the second pass.
type aesGCMReader struct {
	source  io.Reader
	stream  *AESGCMStream
	left    uint64   // bytes of plain text to come
	counter [16]byte // of the first block of key
	key     cipher.Stream
	keyLeft uint64 // bytes that key is good for
}

// next starts the key stream n blocks on. GCM counts only in the last 32 bits of the block, the
// standard library's counter mode in all of it, so a key stream ends at the overflow of the 32
// bits.
func (d *aesGCMReader) next(n uint32) {
	count := binary.BigEndian.Uint32(d.counter[12:]) + n
	binary.BigEndian.PutUint32(d.counter[12:], count)
	d.key = cipher.NewCTR(d.stream.block(), d.counter[:])
	d.keyLeft = 16 * (math.MaxUint32 - uint64(count) + 1)
}

// wrap starts the key stream after an overflow.
func (d *aesGCMReader) wrap() {
	binary.BigEndian.PutUint32(d.counter[12:], 0)
	d.next(0)
}

// crypt encrypts or decrypts p, which is no longer than keyLeft.
func (d *aesGCMReader) crypt(p []byte) {
	d.key.XORKeyStream(p, p)
	d.keyLeft -= uint64(len(p))
}

func (d *aesGCMReader) Read(p []byte) (int, error) {
	if !d.stream.authenticated {
		return 0, fmt.Errorf("%w: the ciphertext is not authenticated", ErrDecrypt)
	}
	if d.key == nil {
		d.counter, d.left = d.stream.j0, d.stream.size
		d.next(1)
	}
	if d.left == 0 {
		return 0, io.EOF
	}
	if d.keyLeft == 0 {
		d.wrap()
	}
	n, err := d.source.Read(p[:min(uint64(len(p)), d.left, d.keyLeft)])
	d.crypt(p[:n])
	d.left -= uint64(n)
	switch {
	case err == io.EOF && d.left > 0:
		err = io.ErrUnexpectedEOF
	case err == io.EOF:
		err = nil
	}
	return n, err
}
