package transport

import (
	"bytes"
	"strconv"
)

// framing finds the end of an HTTP/1.1 response in a stream of bytes. A response is unframed if
// net/http might find another end.
type framing struct {
	at       place
	bodiless bool     // whatever the header says
	line     [64]byte // the beginning of the line that is being read
	size     int      // of the line so far
	status   int      // 0 before the status line
	chunked  bool
	length   int64 // of the body or of a chunk, what is left of it; see sized
	sized    bool
}

// place is the next part of the response.
type place uint8

const (
	headerLine place = iota
	bodyBytes
	chunkLine
	chunkBytes
	chunkEnd
	trailerLine
	complete
	unframed
)

// take reads on and returns the number of bytes of p that belong to the response.
func (f *framing) take(p []byte) (taken int) {
	for taken < len(p) && f.at < complete {
		if f.at == bodyBytes || f.at == chunkBytes {
			n := min(f.length, int64(len(p)-taken))
			taken += int(n)
			if f.length -= n; f.length == 0 {
				if f.at++; f.at == chunkLine { // behind a body there is no chunk
					f.at = complete
				}
			}
			continue
		}
		rest := p[taken:]
		end := bytes.IndexByte(rest, '\n')
		piece := rest
		if end >= 0 {
			piece = rest[:end]
		}
		copy(f.line[min(f.size, len(f.line)):], piece)
		f.size += len(piece)
		taken += len(piece)
		if end < 0 {
			return taken
		}
		taken++
		f.endLine()
		f.size = 0
	}
	return taken
}

// endLine processes a whole line, or its beginning.
func (f *framing) endLine() {
	whole := f.size <= len(f.line)
	line := bytes.TrimSuffix(f.line[:min(f.size, len(f.line))], []byte("\r"))
	empty := whole && len(line) == 0
	switch f.at {
	case headerLine:
		switch {
		case f.status == 0:
			f.readStatus(line)
		case empty:
			f.at = f.afterHeader()
		default:
			f.readField(line, whole)
		}
	case chunkLine:
		f.at = unframed
		digits, _, _ := bytes.Cut(line, []byte(";"))
		if size, err := strconv.ParseUint(string(bytes.TrimRight(digits, " \t")), 16, 63); err == nil && whole {
			if f.at, f.length = chunkBytes, int64(size); size == 0 {
				f.at = trailerLine
			}
		}
	case chunkEnd:
		if f.at = chunkLine; !empty {
			f.at = unframed
		}
	case trailerLine:
		if empty {
			f.at = complete
		}
	}
}

// readStatus reads the status line.
func (f *framing) readStatus(line []byte) {
	rest, ok := bytes.CutPrefix(line, []byte("HTTP/1.1 "))
	status, err := strconv.ParseUint(string(rest[:min(len(rest), 3)]), 10, 16)
	if !ok || err != nil || status < 100 || status == 101 || len(rest) > 3 && rest[3] != ' ' {
		f.at = unframed
		return
	}
	f.status = int(status)
}

// readField reads a line of the header.
func (f *framing) readField(line []byte, whole bool) {
	name, value, ok := bytes.Cut(line, []byte(":"))
	value = bytes.Trim(value, " \t")
	switch {
	case !ok && whole, bytes.ContainsAny(name, " \t"): // a line that goes on, or one that net/http refuses
		f.at = unframed
	case bytes.EqualFold(name, []byte("transfer-encoding")):
		if f.chunked = bytes.EqualFold(value, []byte("chunked")); !f.chunked {
			f.at = unframed
		}
	case bytes.EqualFold(name, []byte("content-length")):
		length, err := strconv.ParseUint(string(value), 10, 63)
		if err != nil || !whole || f.sized && int64(length) != f.length {
			f.at = unframed
			return
		}
		f.sized, f.length = true, int64(length)
	}
}

// afterHeader returns the place after the header.
func (f *framing) afterHeader() place {
	switch {
	case f.status < 200: // the answer itself is still to come
		*f = framing{bodiless: f.bodiless}
		return headerLine
	case f.bodiless, f.status == 204, f.status == 304:
		return complete
	case f.chunked:
		return chunkLine
	case !f.sized: // it ends with the connection
		return unframed
	case f.length == 0:
		return complete
	}
	return bodyBytes
}
