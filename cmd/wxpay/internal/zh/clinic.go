package zh

import (
	"cmp"
	"regexp"
	"strings"
	"unicode"
)

// titles begin the lines of an explanation.
var titles = []struct{ english, chinese string }{
	{"likely cause: ", "可能原因："}, {"what to do: ", "处理办法："}, {"how sure: ", "把握："},
}

// words are those of the table in an explanation: the lines of a message, and whose they are.
var words = map[string]string{
	"method": "方法", "target": "目标", "timestamp": "时间戳", "nonce": "随机串", "body": "请求体",
	"platform": "平台", "client": "客户端", "both": "相同",
}

// Line returns the Chinese of the name of a line of a signed message.
func Line(name string) string { return cmp.Or(words[name], name) }

var (
	rejected = regexp.MustCompile(`^([A-Z]+ \S+ \d{1,3}(?: \(fault [^)]*\))?): (.+)$`)
	row      = regexp.MustCompile(`^(\d [a-z]+|) +(platform|client|both) +(.*)$`)
	cutAway  = regexp.MustCompile(`\((\d+) bytes (before|after)\)`)
)

// Explanation returns the Chinese of what the sandbox says about a rejected request at length: causes, remedies, and the
// lines of both sides.
func Explanation(english string) string {
	var out []string
	for line := range strings.SplitSeq(english, "\n") {
		out = append(out, explained(line))
	}
	return strings.Join(out, "\n")
}

func explained(line string) string {
	for _, title := range titles {
		if text, ok := strings.CutPrefix(line, title.english); ok {
			return title.chinese + Finding(text)
		}
	}
	if parts := row.FindStringSubmatch(line); parts != nil {
		number, name, _ := strings.Cut(parts[1], " ")
		return padded(strings.TrimSpace(number+" "+Line(name)), 10) + padded(Line(parts[2]), 8) + quoted(parts[3])
	}
	if parts := rejected.FindStringSubmatch(line); parts != nil {
		return parts[1] + "：" + Reason(parts[2])
	}
	return Finding(line)
}

// Reason returns the Chinese of why the sandbox rejected a request, in one line: a reason, and behind a colon its cause.
func Reason(english string) string {
	reason, cause, ok := strings.Cut(english, ": ")
	if chinese := Finding(reason); ok && chinese != reason {
		return chinese + "：" + Reason(cause)
	}
	return Finding(english)
}

// Rejection is [Reason] with what the response said to fall back on, which is Chinese unless the client asked for English.
func Rejection(reason, message string) string {
	chinese := Reason(reason)
	if english.MatchString(chinese) && han.MatchString(message) {
		return message
	}
	return chinese
}

var (
	english = regexp.MustCompile(`[a-z]+ [a-z]+ [a-z]+`)
	han     = regexp.MustCompile(`\p{Han}`)
)

// quoted says of a line of a message what was left out, and that it is empty.
func quoted(text string) string {
	text = cutAway.ReplaceAllStringFunc(text, func(english string) string {
		parts := cutAway.FindStringSubmatch(english)
		if parts[2] == "before" {
			return "（前面还有 " + parts[1] + " 字节）"
		}
		return "（后面还有 " + parts[1] + " 字节）"
	})
	return Finding(text)
}

// padded fills a text with blanks to a width, in which a Chinese character takes two.
func padded(text string, width int) string {
	for _, r := range text {
		if width--; unicode.Is(unicode.Han, r) {
			width--
		}
	}
	return text + strings.Repeat(" ", max(0, width))
}
