package report

import (
	"fmt"
	"strconv"
)

// target is a figure for wxpay to reach, beside the measured one.
type target struct {
	work, what string
	bound      string
	found      string
	reached    bool
	known      bool
	reason     string // why it is missed, if it is
}

// targets compares the run with what was aimed for. The reasons stand here because only a person
// can know them; they are printed only where a target is missed.
func (r *Run) targets() []target {
	var all []target
	// The printed digits count: nobody can see a difference behind the last one.
	judge := func(work, what, sign string, s Stat, bound float64, format, reason string) {
		limit, found := fmt.Sprintf(format, bound), fmt.Sprintf(format, s.Median)
		a, b := number(found), number(limit)
		all = append(all, target{work, what, sign + " " + limit, found, a == b || (a < b) == (sign == "≤"), s.Known(), reason})
	}
	most := func(work, what string, s Stat, bound float64, format, reason string) {
		judge(work, what, "≤", s, bound, format, reason)
	}
	least := func(work, what string, s Stat, bound float64, format, reason string) {
		judge(work, what, "≥", s, bound, format, reason)
	}
	for _, w := range []struct {
		name, rsa           string
		time, allocs, bytes float64
	}{
		{"Feed", "out", 0.75, 22, 4096}, {"Order", "out", 0.72, 30, 0}, {"Notify", "in", 0.85, 22, 0},
		{"Handle", "in", 1, 0, 0},
		{"Transfer", "out", 0.95, 100, 0}, {"Upload", "out", 1.05, 0, 64 << 10},
	} {
		own, floor := w.name+"/wxpay", w.name+"/floor"
		most(titles[w.name], "time, floor = 1.00", r.Ratio(w.rsa, own, floor, processor), w.time, "%.2f", reasons[w.name])
		if w.allocs > 0 {
			most(titles[w.name], "allocations", r.Of(w.rsa, own, allocsPerOp), w.allocs, "%.0f", reasons[w.name+" allocations"])
		}
		if w.bytes > 0 {
			most(titles[w.name], "bytes allocated", r.Of(w.rsa, own, bytesPerOp), w.bytes, "%.0f", reasons[w.name+" bytes"])
		}
	}
	for _, coding := range []string{"plain", "gzip"} {
		name := "Bill/256MiB-" + coding
		most(titles["Bill"]+", "+coding, "time, floor = 1.00", r.Ratio("in", name+"/wxpay", name+"/floor", processor), 1.10, "%.2f", reasons["Bill"])
		most(titles["Bill"]+", "+coding, "peak memory, MiB", r.peak(name+"/wxpay"), 14, "%.1f", reasons["peak"])
		most("Bill of 1 GiB, "+coding, "peak memory, MiB", r.peak("Bill/1024MiB-"+coding+"/wxpay"), 14, "%.1f", reasons["peak"])
	}
	least(titles["Loopback"], "calls per second, floor = 1.00", r.Ratio("in", "Loopback/floor", "Loopback/wxpay", perOp), 1, "%.2f", reasons["Loopback"])
	least("64 goroutines, libcrypto beside crypto/rsa", "speed-up", r.Ratio("in", "Busy/rsa", "Busy/openssl", processor), 0.8*r.allowed(), "%.2f", reasons["Busy"])
	most("10,000 calls", "goroutines that stay", r.Of("out", "Retained/wxpay", "goroutines"), 0, "%.0f", "")
	most("10,000 calls", "memory that stays, KiB", r.Of("out", "Retained/wxpay", "kept-KiB"), 64, "%.1f", "")
	most("A minimal program", "modules in it", r.Of("in", "Minimal/wxpay", "linked-modules"), 5, "%.0f", "")
	most("A minimal program", "packages beyond the standard library", r.Of("in", "Minimal/wxpay", "packages"), 8, "%.0f", reasons["packages"])
	most("A minimal program", "size, MB", r.size("wxpay"), 6.8, "%.1f", reasons["size"])
	return all
}

// allowed is by how much libcrypto could speed calls up if they were nothing but a signature and a
// verification.
func (r *Run) allowed() float64 {
	sign, fast, verify := r.Of("in", "RSA/sign", processor).Median, r.Of("in", "RSA/sign-openssl", processor).Median, r.Of("in", "RSA/verify", processor).Median
	if fast == 0 {
		return 0
	}
	return (sign + verify) / (fast + verify)
}

func (r *Run) peak(name string) Stat { return r.Of("in", name, "peak-KiB").times(1.0 / 1024) }

func (r *Run) size(who string) Stat { return r.Of("in", "Minimal/"+who, "size-bytes").times(1e-6) }

func (s Stat) times(f float64) Stat { return Stat{s.Median * f, s.Low * f, s.High * f, s.Rounds} }

var titles = map[string]string{
	"Feed": "Member feed, POST", "Order": "Order query, GET", "Notify": "Notification, verified and decrypted",
	"Handle":   "Notification, handled",
	"Transfer": "Transfer with 10 encrypted names", "Upload": "Upload of 2 MB", "Bill": "Bill of 256 MiB",
	"Loopback": "64 goroutines over loopback TLS",
}

var reasons = map[string]string{
	"Feed":               "not impossible: by BenchmarkBound of 30 November 2026 the least that we know of is 0.39: 0.04 for the benchmark itself, the rest for what the protocol asks of everybody. What wxpay does besides would have to fit into 0.36. A call of wxpay always has its time limits, and its log, observer and verification each read the clock; how much the garbage collector adds to the floor differs between runs and machines. A profile of the same day has no large piece left: the body is written (8 %) and checked against the catalogue (4 %), the response is read for ambiguous JSON (4 %), the request is copied for each of two contexts (5 %) and gets its header (4 %), the attempt has a timer (4 %), the clock is read several times (5 %); a fifth is memory, spread over all of these.",
	"Order":              "not impossible: as for the feed; the least that we know of is 0.36. The catalogue is asked for the operation besides, and the response is read for ambiguous JSON and for the call that it names (12 %), which the floor does not do.",
	"Notify":             "not impossible: by BenchmarkBound of 30 November 2026 the least that we know of is 0.74, nearly all of which is the verification. What is left beside it is small, and wxpay checks in it that no member stands twice, which the floor does not.",
	"Transfer":           "not impossible: by BenchmarkBound of 30 November 2026 the least that we know of is 0.44. The names are found in finished JSON by what the catalogue knows, and the text is written a second time with the ciphertexts in it; the floor knows its struct. By a profile of the same day that takes a fifth, half of which is the ciphertexts, which the floor has too; the checks against the catalogue take a tenth, and the maps that the benchmark makes for the body, where the floor has structs, a seventh.",
	"Upload":             "the digest of the file is most of the time, and the same for everybody; beside it wxpay hands the file to the transport in pieces, the floor in one.",
	"Bill":               "the content passes a check for absurd expansion and a count of what came besides the digest.",
	"Feed bytes":         "one piece of memory holds the call and its response, with room for what a retry or an encrypted field needs; most calls need neither.",
	"Handle":             "impossible: a function that hangs must not keep the response back, so it has a goroutine of its own, and the start of one wakes an idle processor. (The goroutine of the request cannot run it: net/http sends the response when the handler returns, and the caller of Deliver waits for it.) By BenchmarkBound of 30 November 2026, on a machine that was quiet meanwhile, verification, decryption and such a goroutine take 1.09 of the floor before any JSON is read; there wxpay takes 1.36, and 1.00 with GOMAXPROCS=1, where no other processor can be woken.",
	"Notify allocations": "nine read the request that the benchmark hands over, and nine more are the verification's in crypto/rsa; both are the same for everybody.",
	"packages":           "three are from outside (gjson and the two that it imports), the others are wxpay's own.",
	"peak":               "what net/http, TLS and the key parser need takes most of this; it does not grow with the file.",
	"Loopback":           "with RSA in, both spend nearly all of the time on the same two operations, and the difference is smaller than that between two runs.",
	"Busy":               "64 goroutines hand processors to each other more often where a call is shorter.",
	"size":               "what it adds to the standard library is code that every client can reach: the checks of New, calls with their retries and errors, encryption inside of finished JSON, the checks against a catalogue's facts, certificates that are fetched and followed, and nearly half as much in gjson and log/slog, which the public types name. Bills and webhooks are not in the program, and nothing keeps methods that are not called: the linker's removal works. Since 29 November 2026 the catalogue is in every program, with half a megabyte and three more packages. Only doing less would make it as small.",
}

func number(printed string) float64 {
	n, err := strconv.ParseFloat(printed, 64)
	if err != nil {
		panic(err)
	}
	return n
}
