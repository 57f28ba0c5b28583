package sm

import (
	"hash"

	"github.com/emmansun/gmsm/sm3"
)

// NewSM3 returns an SM3 hash. Some files use it instead of SHA-256, also for merchants who use RSA:
//
//	file := wxpay.FileAt("fapiao.pdf").Hash(sm.NewSM3).Meta("digest_alogrithm", "SM3") // spelt so
//	got, err := chain.Receipt(ctx, w, wxpay.DigestAlgorithm("SM3", sm.NewSM3))
func NewSM3() hash.Hash { return sm3.New() }
