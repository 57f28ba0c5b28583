package fleet

import "time"

// doubled is first after no times, and twice as long each time, up to most.
func doubled(first, most time.Duration, times int) time.Duration {
	return min(first<<min(max(times, 0), 16), most)
}
