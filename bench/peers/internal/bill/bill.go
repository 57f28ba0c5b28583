// Package bill serves large files over TLS, and runs a contestant that fetches one in a process of
// its own, whose peak memory is then that of this contestant alone.
package bill

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"hash/crc32"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/bench/peers"
)

// Path is where the platform serves bills. The token of the address is the size in MiB and, if
// packed, "gzip".
const Path = "/v3/billdownload/file"

// block is a piece of a bill: a bill is made of whole ones.
const blockSize = 32 << 20

// Server serves bills of any number of blocks, plain and packed, without holding more than one.
type Server struct {
	block, packed []byte
}

// NewServer makes the block: rows such as a bill has, with numbers that differ.
func NewServer() (*Server, error) {
	random := rand.New(rand.NewPCG(1, 2))
	var text bytes.Buffer
	text.Grow(blockSize + 512)
	for text.Len() < blockSize {
		fmt.Fprintf(&text, "`2026-11-24 10:34:56,`wxd678efh567hg6787,`1900000109,`0,`,`42000012342026%014d,`%020d,`oUpF8uMuAJO%016x,`JSAPI,`SUCCESS,`OTHERS,`CNY,`%d.%02d,`0.00,`a mug,`0.54%%\r\n",
			random.Int64N(1e14), random.Int64N(1e18), random.Uint64(), random.IntN(1000), random.IntN(100))
	}
	s := &Server{block: text.Bytes()[:blockSize]}
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.DefaultCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(s.block); err != nil {
		return nil, err
	}
	// Ends on a byte and refers to nothing before it, so blocks can follow each other.
	if err := w.Flush(); err != nil {
		return nil, err
	}
	s.packed = packed.Bytes()
	return s, nil
}

// Digest is the SHA-1 of a bill, which the platform tells beside its address.
func (s *Server) Digest(mib int) string {
	sum := sha1.New()
	for range mib << 20 / blockSize {
		sum.Write(s.block)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// ServeHTTP serves a bill, unsigned, as the platform does.
func (s *Server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	size, coding, packed := strings.Cut(req.URL.Query().Get("token"), "-")
	mib, err := strconv.Atoi(size)
	if err != nil || req.URL.Path != Path || packed && coding != "gzip" {
		http.Error(w, "no such bill", http.StatusNotFound)
		return
	}
	blocks := mib << 20 / blockSize
	if !packed {
		w.Header().Set("Content-Length", strconv.Itoa(blocks*blockSize))
		for range blocks {
			if _, err := w.Write(s.block); err != nil {
				return
			}
		}
		return
	}
	head := []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}
	sum := uint32(0)
	for range blocks {
		sum = crc32.Update(sum, crc32.IEEETable, s.block)
	}
	tail := []byte{0x01, 0, 0, 0xff, 0xff} // an empty last block
	tail = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(tail, sum), uint32(blocks*blockSize))
	w.Header().Set("Content-Type", "application/x-gzip")
	w.Header().Set("Content-Length", strconv.Itoa(len(head)+blocks*len(s.packed)+len(tail)))
	_, _ = w.Write(head)
	for range blocks {
		if _, err := w.Write(s.packed); err != nil {
			return
		}
	}
	_, _ = w.Write(tail)
}

// Serve serves over TLS until the server is closed, and returns scheme and host.
func Serve(s *Server, certificate *peers.Loopback) (base string, server *http.Server, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server = &http.Server{Handler: s, TLSConfig: certificate.Config(), ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = server.ServeTLS(listener, "", "") }()
	return "https://" + listener.Addr().String(), server, nil
}

// Main is the program that fetches one bill with one contestant. It prints a line in the format of
// benchmarks: how long it took, and how much memory the process had at most.
func Main(name string, contestant func(peers.Config) (*peers.Client, error)) {
	base := flag.String("base", "", "scheme and host of the server")
	mib := flag.Int("mib", 256, "size of the bill")
	packed := flag.Bool("gzip", false, "fetch it packed")
	digest := flag.String("sha1", "", "its digest")
	flag.Parse()
	client, err := contestant(peers.Config{Base: *base})
	if err != nil {
		log.Fatal(err)
	}
	token, coding := strconv.Itoa(*mib), "plain"
	if *packed {
		token, coding = token+"-gzip", "gzip"
	}
	var got counter
	begin, before := time.Now(), peers.ProcessorTime()
	if err := client.Bill(context.Background(), *base+Path+"?token="+token, *packed, *digest, &got); err != nil {
		log.Fatal(err)
	}
	took, used := time.Since(begin), peers.ProcessorTime()-before
	if int(got) != *mib<<20 {
		log.Fatalf("%d bytes came, not %d MiB", got, *mib)
	}
	peak, err := peakKiB()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("BenchmarkBill/%dMiB-%s/%s 1 %d ns/op %d cpu-us/op %d peak-KiB\n", *mib, coding, name, took.Nanoseconds(), used.Microseconds(), peak)
}

// counter takes bytes and keeps none. It has no ReadFrom, which a file has not for TLS either.
type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// peakKiB is the most memory that this process had.
func peakKiB() (kib int, err error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			return kib, nil
		}
	}
	return 0, fmt.Errorf("no VmHWM in /proc/self/status")
}
