package apiv3

import (
	"crypto/cipher"
	"encoding/binary"
)

// element is an element of GF(2^128) in the bit order of GCM: the most significant bit of hi is the
// coefficient of x^0.
type element struct{ hi, lo uint64 }

func readElement(block []byte) element {
	return element{binary.BigEndian.Uint64(block), binary.BigEndian.Uint64(block[8:])}
}

func (a element) append(dst []byte) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(dst, a.hi), a.lo)
}

func (a element) plus(b element) element { return element{a.hi ^ b.hi, a.lo ^ b.lo} }

// times multiplies in constant time.
func (a element) times(b element) (z element) {
	const r = 0xe1 << 56 // x^128 = x^7 + x^2 + x + 1
	for i := range 128 {
		var bit uint64
		if i < 64 {
			bit = a.hi >> (63 - i) & 1
		} else {
			bit = a.lo >> (127 - i) & 1
		}
		z.hi ^= b.hi & -bit
		z.lo ^= b.lo & -bit
		carry := b.lo & 1
		b.lo = b.lo>>1 | b.hi<<63
		b.hi = b.hi>>1 ^ r&-carry
	}
	return z
}

var one = element{hi: 1 << 63}

// power is a to the nth.
func (a element) power(n uint64) element {
	z := one
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			z = z.times(a)
		}
		a = a.times(a)
	}
	return z
}

// inverse is a to the power of 2^128-2. That of zero is zero.
func (a element) inverse() element {
	z := one
	for range 127 {
		a = a.times(a)
		z = z.times(a)
	}
	return z
}

// ghash computes GHASH of NIST SP 800-38D piece by piece. It uses the standard library's GCM, which
// has GHASH in hardware but only for whole messages. The tag of a message with only associated data
// is
//
//	tag = (Y + L)·H + E(J0)
//
// where Y is GHASH of that data, padded to blocks, L the block of its length, and E(J0) a constant
// of key and nonce. So Y = (tag + E(J0))/H + L: one message for each piece, and two multiplications
// to join it to the pieces before.
type ghash struct {
	gcm     cipher.AEAD // any nonce would do, since nothing is encrypted
	mask    element     // E(J0) of the nonce that gcm is used with
	h       element
	inverse element // of h
	y       element

	blocks uint64  // the number for which power is
	power  element // h to that power
	nonce  [12]byte
	tag    [tagSize]byte
}

func newGHASH(block cipher.Block) (*ghash, error) {
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	var zero, first [16]byte
	first[15] = 1 // J0 of a nonce of 12 zeros
	block.Encrypt(zero[:], zero[:])
	block.Encrypt(first[:], first[:])
	g := &ghash{gcm: gcm, h: readElement(zero[:]), mask: readElement(first[:])}
	g.inverse = g.h.inverse()
	return g, nil
}

// add adds a piece, padded with zeros to whole blocks. All but the last have whole blocks.
func (g *ghash) add(piece []byte) {
	if len(piece) == 0 {
		return
	}
	blocks := (uint64(len(piece)) + 15) / 16
	if blocks != g.blocks {
		g.blocks, g.power = blocks, g.h.power(blocks)
	}
	tag := readElement(g.gcm.Seal(g.tag[:0], g.nonce[:], nil, piece))
	own := tag.plus(g.mask).times(g.inverse).plus(element{hi: 8 * uint64(len(piece))})
	g.y = g.y.times(g.power).plus(own)
}

// block adds one block.
func (g *ghash) block(b element) { g.y = g.y.plus(b).times(g.h) }

// take returns the hash and starts again.
func (g *ghash) take() element {
	y := g.y
	g.y = element{}
	return y
}
