package cli

import (
	"runtime/metrics"
	"testing"

	"github.com/stretchr/testify/assert"
)

// gcPercent is what the collector goes by.
func gcPercent() int {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	return int(sample[0].Value.Uint64())
}

// A served sandbox collects more often, unless the environment says how often.
func TestServedSandboxSavesMemory(t *testing.T) {
	usual := gcPercent()
	for name, want := range map[string]int{"": sandboxGCPercent, "GOGC": usual, "GOMEMLIMIT": usual} {
		p := new(program)
		if name != "" {
			p.environ = []string{name + "=100"}
		}
		restore := p.saveMemory()
		assert.Equal(t, want, gcPercent(), name)
		restore()
		assert.Equal(t, usual, gcPercent(), name)
	}
}
