package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/google/pprof/profile"
)

// Buckets are where processor time can go.
var Buckets = []string{
	"signature", "verification", "net/http, net/url, context", "JSON", "hashes, base64, random numbers", "wxpay itself", "memory and garbage", "everything else",
}

func slug(bucket string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == ',' || r == '/' {
			return '_'
		}
		return r
	}, bucket)
}

// WriteProfile reads a CPU profile and writes where the time went, in the format of benchmarks.
func WriteProfile(w io.Writer, r io.Reader) error {
	p, err := profile.Parse(r)
	if err != nil {
		return err
	}
	shares, total := map[string]float64{}, 0.0
	for _, sample := range p.Sample {
		value := float64(sample.Value[len(sample.Value)-1])
		shares[bucket(sample)] += value
		total += value
	}
	if total == 0 {
		return fmt.Errorf("the profile has no samples")
	}
	for _, name := range Buckets {
		if _, err := fmt.Fprintf(w, "BenchmarkProfile/%s 1 %.2f %%\n", slug(name), 100*shares[name]/total); err != nil {
			return err
		}
	}
	return nil
}

// bucket puts a sample where it belongs: RSA wherever it was called from; else the innermost frame
// that is not the runtime's says whose work it was.
func bucket(sample *profile.Sample) string {
	var frames []string // innermost first
	for _, location := range sample.Location {
		for _, line := range location.Line {
			frames = append(frames, line.Function.Name)
		}
	}
	for _, f := range frames {
		switch {
		case strings.HasPrefix(f, "crypto/rsa.") && strings.Contains(f, "Sign"):
			return "signature"
		case strings.HasPrefix(f, "crypto/rsa.") && strings.Contains(f, "Verify"):
			return "verification"
		}
	}
	for _, f := range frames {
		switch {
		case strings.HasPrefix(f, "runtime.mallocgc"), strings.HasPrefix(f, "runtime.gc"), strings.HasPrefix(f, "runtime.bgsweep"),
			strings.HasPrefix(f, "runtime.newobject"), strings.HasPrefix(f, "runtime.makeslice"), strings.HasPrefix(f, "runtime.growslice"):
			return "memory and garbage"
		case strings.HasPrefix(f, "runtime"), strings.HasPrefix(f, "internal/"), strings.HasPrefix(f, "sync"), strings.HasPrefix(f, "strings."),
			strings.HasPrefix(f, "bytes."), strings.HasPrefix(f, "strconv."), strings.HasPrefix(f, "slices."), strings.HasPrefix(f, "sort."),
			strings.HasPrefix(f, "unicode"), strings.HasPrefix(f, "io."), strings.HasPrefix(f, "fmt."), strings.HasPrefix(f, "time."),
			strings.HasPrefix(f, "maps."), strings.HasPrefix(f, "reflect."):
			continue // on behalf of somebody further out
		case strings.HasPrefix(f, "net/"), strings.HasPrefix(f, "net."), strings.HasPrefix(f, "context."):
			return "net/http, net/url, context"
		case strings.HasPrefix(f, "encoding/json"), strings.HasPrefix(f, "github.com/tidwall/"):
			return "JSON"
		case strings.HasPrefix(f, "crypto/"), strings.HasPrefix(f, "encoding/"), strings.HasPrefix(f, "hash"):
			return "hashes, base64, random numbers"
		case strings.HasPrefix(f, "github.com/wxpay-go/wxpay/bench"):
			return "everything else"
		case strings.HasPrefix(f, "github.com/wxpay-go/wxpay"):
			return "wxpay itself"
		}
	}
	return "everything else"
}
