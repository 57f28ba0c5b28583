//go:build !unix

package peers

import "time"

// ProcessorTime is not known here.
func ProcessorTime() time.Duration { return 0 }
