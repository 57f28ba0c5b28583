package apiv3

// AppendRequestMessage appends the five lines that a request's signature covers. Each ends with LF,
// including the last.
//
// target is the request target exactly as on the request line: path, then "?" and query if there is
// one. body is the exact bytes sent, empty without a body; for an upload it is the JSON of the meta
// part alone.
func AppendRequestMessage(dst []byte, method, target, timestamp, nonce string, body []byte) []byte {
	dst = AppendLines(dst, method, target, timestamp, nonce)
	dst = append(dst, body...)
	return append(dst, '\n')
}

// AppendResponseMessage appends the three lines that the signature of a response or a notification
// covers. body is the raw bytes before any parsing; an empty body leaves an empty third line.
func AppendResponseMessage(dst []byte, timestamp, nonce string, body []byte) []byte {
	dst = AppendLines(dst, timestamp, nonce)
	dst = append(dst, body...)
	return append(dst, '\n')
}

// AppendLines appends each line followed by LF: the message of signatures for front ends.
func AppendLines(dst []byte, lines ...string) []byte {
	for _, line := range lines {
		dst = append(dst, line...)
		dst = append(dst, '\n')
	}
	return dst
}

// StatementMessageBody returns the body in the message of an overseas statement: JSON of the header
// Wechatpay-Statement-Sha1, without white space.
func StatementMessageBody(sha1Hex string) []byte {
	return []byte(`{"sha1":"` + sha1Hex + `"}`)
}

// validText reports whether s may stand in a quoted header value and on one line of a message.
func validText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
