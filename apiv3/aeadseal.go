package apiv3

import (
	"fmt"
	"io"
)

// SealAESGCMStream is [SealAESGCM] for data that does not fit into memory. It returns a reader that
// encrypts plaintext while it is read, with the tag at the end. Key, nonce and additional are as
// for [NewAESGCMStream]; a nonce must never repeat under one key. An error of plaintext ends the
// ciphertext before its tag. The reader is not safe for concurrent use.
func SealAESGCMStream(key, nonce, additional []byte, plaintext io.Reader) (io.Reader, error) {
	s, err := NewAESGCMStream(key, nonce, additional)
	if err != nil {
		return nil, err
	}
	sealer := &aesGCMSealer{source: plaintext, keys: aesGCMReader{stream: s, counter: s.j0}}
	sealer.keys.next(1)
	return sealer, nil
}

// aesGCMSealer encrypts a reader.
type aesGCMSealer struct {
	source io.Reader
	keys   aesGCMReader // of which the key stream is used
	tag    []byte       // to be read; nil until the plain text has ended
}

func (r *aesGCMSealer) Read(p []byte) (int, error) {
	if r.tag != nil {
		if len(r.tag) == 0 {
			return 0, io.EOF
		}
		n := copy(p, r.tag)
		r.tag = r.tag[n:]
		return n, nil
	}
	s := r.keys.stream
	if r.keys.keyLeft == 0 {
		r.keys.wrap()
	}
	n, err := r.source.Read(p[:min(uint64(len(p)), r.keys.keyLeft)])
	if s.size+uint64(len(s.buffer)+n) > maxAESGCM {
		return 0, fmt.Errorf("%w: the plain text is longer than GCM allows", ErrKey)
	}
	r.keys.crypt(p[:n])
	for rest := p[:n]; len(rest) > 0; {
		taken := min(streamPiece-len(s.buffer), len(rest))
		s.buffer, rest = append(s.buffer, rest[:taken]...), rest[taken:]
		if len(s.buffer) == streamPiece {
			s.absorb(streamPiece)
		}
	}
	if err == io.EOF {
		s.absorb(len(s.buffer))
		tag := s.tag()
		r.tag, err = tag[:], nil
	}
	return n, err
}
