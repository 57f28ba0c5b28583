package sm

import (
	"hash"

	"github.com/emmansun/gmsm/sm3"
)

// NewSM3 returns a hash for the digests that some files have instead of SHA-256, also of merchants who do not use SM2:
//
//	file := wxpay.FileAt("fapiao.pdf").Hash(sm.NewSM3).Meta("digest_alogrithm", "SM3") // spelt so
//	got, err := chain.Receipt(ctx, w, wxpay.DigestAlgorithm("SM3", sm.NewSM3))
func NewSM3() hash.Hash { return sm3.New() }
