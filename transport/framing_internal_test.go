package transport

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var framed = []struct {
	name, method, answer string
	place                place
}{
	{"a length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", complete},
	{"no line feeds of the usual kind", "GET", "HTTP/1.1 200 OK\ncontent-length:5\n\nhello", complete},
	{"no body", "POST", "HTTP/1.1 204 No Content\r\nRequest-Id: 1\r\n\r\n", complete},
	{"no body whatever is said", "POST", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", complete},
	{"an empty body", "POST", "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", complete},
	{"HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", complete},
	{"the same length twice", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", complete},
	{"a long line", "GET", "HTTP/1.1 200 OK\r\nWechatpay-Signature: " + strings.Repeat("s", 344) + "\r\nContent-Length: 5\r\n\r\nhello", complete},
	{"a long reason", "GET", "HTTP/1.1 200 " + strings.Repeat("K", 344) + "\r\nContent-Length: 5\r\n\r\nhello", complete},
	{"chunks", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n", complete},
	{"a trailer", "GET", "HTTP/1.1 200 OK\r\nTrailer: X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: 1\r\n\r\n", complete},
	{"chunks before a length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", complete},
	{"an answer on the way", "POST", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", complete},

	{"to the end of the connection", "GET", "HTTP/1.1 200 OK\r\n\r\nhello", unframed},
	{"an older protocol", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", unframed},
	{"another protocol", "GET", "HTTP/1.1 101 Switching Protocols\r\n\r\n", unframed},
	{"no HTTP", "GET", "SSH-2.0-x\r\n", unframed},
	{"two lengths", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", unframed},
	{"a strange length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", unframed},
	{"a strange coding", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", unframed},
	{"a line that goes on", "GET", "HTTP/1.1 200 OK\r\nContent-Length:\r\n 5\r\n\r\nhello", unframed},
	{"a strange chunk", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", unframed},
}

const surplus = "HTTP/1.1 200 OK\r\n"

func TestFraming(t *testing.T) {
	for _, tt := range framed {
		t.Run(tt.name, func(t *testing.T) {
			for _, step := range []int{1, 2, 3, 7, 64, 4096} {
				f := framing{bodiless: tt.method == "HEAD"}
				data, taken := []byte(tt.answer+surplus), 0
				for len(data) > 0 && f.at < complete {
					n := f.take(data[:min(step, len(data))])
					taken, data = taken+n, data[n:]
				}
				require.Equal(t, tt.place, f.at, "in steps of %d", step)
				if f.at == complete {
					assert.Equal(t, len(tt.answer), taken, "in steps of %d", step)
				}
			}
		})
	}
	var f framing
	answer := []byte(framed[0].answer)
	assert.Zero(t, testing.AllocsPerRun(100, func() { f = framing{}; f.take(answer) }))
}

// What is framed ends where net/http says that it ends.
func FuzzFraming(f *testing.F) {
	for _, tt := range framed {
		f.Add([]byte(tt.answer), tt.method == "HEAD")
	}
	f.Fuzz(func(t *testing.T, data []byte, head bool) {
		frame := framing{bodiless: head}
		taken := 0
		for _, b := range data {
			if frame.at >= complete {
				break
			}
			taken += frame.take([]byte{b})
		}
		whole := framing{bodiless: head}
		n := whole.take(data)
		require.Equal(t, frame.at, whole.at, "it does not matter how it arrives")
		if whole.at != complete {
			return
		}
		require.Equal(t, taken, n)
		method := http.MethodGet
		if head {
			method = http.MethodHead
		}
		source := bytes.NewReader(data)
		reader := bufio.NewReader(source)
		res, err := http.ReadResponse(reader, &http.Request{Method: method})
		for err == nil && res.StatusCode < 200 {
			res, err = http.ReadResponse(reader, &http.Request{Method: method})
		}
		if err == nil {
			_, err = io.Copy(io.Discard, res.Body)
		}
		if err != nil || res.Close {
			return // the connection is not used again
		}
		require.Equal(t, len(data)-source.Len()-reader.Buffered(), n)
	})
}
