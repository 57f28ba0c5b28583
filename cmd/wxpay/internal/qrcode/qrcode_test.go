package qrcode_test

import (
	"bytes"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/qrcode"
)

// margin is the light space around a code, in modules.
const margin = 4

// A drawn code reads as the text that it was made of, in each form.
func TestCodeReads(t *testing.T) {
	for _, text := range []string{"x", "weixin://wxpay/bizpayurl?pr=V6X2TYEXIzz", "weixin://wxpay/s/An4baqw", "https://例.cn/微信"} {
		t.Run(text, func(t *testing.T) {
			code, err := qrcode.New(text)
			require.NoError(t, err)
			image, err := code.PNG()
			require.NoError(t, err)
			for form, dark := range map[string][][]bool{
				"png": pixels(t, image), "colours": blocks(t, code.Text(true), true), "plain": blocks(t, code.Text(false), false),
			} {
				assert.Equal(t, text, read(t, dark), form)
			}
		})
	}
	_, err := qrcode.New(strings.Repeat("x", 3000))
	assert.ErrorContains(t, err, "the text of 3000 bytes makes no QR code")
}

// pixels returns the modules of an image without the margin.
func pixels(t *testing.T, data []byte) [][]bool {
	picture, err := png.Decode(bytes.NewReader(data))
	require.NoError(t, err)
	const side = 8
	size := picture.Bounds().Dx() / side
	dark := make([][]bool, size)
	for y := range dark {
		for x := range size {
			gray := color.GrayModel.Convert(picture.At(x*side+side/2, y*side+side/2)).(color.Gray)
			dark[y] = append(dark[y], gray.Y == 0)
		}
	}
	return inside(t, dark)
}

// blocks returns the modules of half blocks without the margin.
func blocks(t *testing.T, text string, colours bool) [][]bool {
	var dark [][]bool
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if colours {
			line = strings.TrimSuffix(strings.TrimPrefix(line, "\x1b[38;5;16;48;5;231m"), "\x1b[0m")
		}
		var upper, lower []bool
		for _, r := range line {
			upper = append(upper, (r == '█' || r == '▀') == colours)
			lower = append(lower, (r == '█' || r == '▄') == colours)
		}
		dark = append(dark, upper, lower)
	}
	return inside(t, dark[:len(dark[0])]) // a code has an odd number of rows, and the last line has one
}

// inside takes the margin away, which is light.
func inside(t *testing.T, dark [][]bool) [][]bool {
	size := len(dark) - 2*margin
	var inner [][]bool
	for y, row := range dark {
		for x, is := range row {
			if min(x, y) < margin || max(x, y) >= margin+size {
				require.False(t, is, "the margin is light")
			}
		}
		if y >= margin && y < margin+size {
			inner = append(inner, row[margin:margin+size])
		}
	}
	return inner
}

// read reads a code of bytes whose data is one block (ISO/IEC 18004, versions 1 to 3 of level M), and corrects nothing.
func read(t *testing.T, dark [][]bool) string {
	size := len(dark)
	version := (size - 17) / 4
	require.LessOrEqual(t, version, 3)
	for _, corner := range [][2]int{{0, 0}, {size - 7, 0}, {0, size - 7}} {
		for i := range 7 {
			require.True(t, dark[corner[1]][corner[0]+i] && dark[corner[1]+i][corner[0]], "the finder pattern")
		}
	}
	format := 0
	for _, x := range []int{0, 1, 2, 3, 4, 5, 7, 8} { // the first bits of the format beside the upper left finder
		format = format<<1 | number(dark[8][x])
	}
	format = format>>3 ^ 0b10101 // five bits of data under the mask 101010000010010
	require.Zero(t, format>>3, "level M is 00")
	masks := []func(y, x int) bool{
		func(y, x int) bool { return (y+x)%2 == 0 }, func(y, _ int) bool { return y%2 == 0 },
		func(_, x int) bool { return x%3 == 0 }, func(y, x int) bool { return (y+x)%3 == 0 },
		func(y, x int) bool { return (y/2+x/3)%2 == 0 }, func(y, x int) bool { return y*x%2+y*x%3 == 0 },
		func(y, x int) bool { return (y*x%2+y*x%3)%2 == 0 }, func(y, x int) bool { return ((y+x)%2+y*x%3)%2 == 0 },
	}
	function := func(y, x int) bool {
		corners := y < 9 && x < 9 || y < 9 && x >= size-8 || y >= size-8 && x < 9
		aligned := version > 1 && y >= size-9 && y <= size-5 && x >= size-9 && x <= size-5
		return corners || aligned || y == 6 || x == 6
	}
	var bits []int
	for right, upward := size-1, true; right > 0; right, upward = right-2, !upward {
		if right == 6 {
			right--
		}
		for i := range size {
			y := i
			if upward {
				y = size - 1 - i
			}
			for _, x := range []int{right, right - 1} {
				if !function(y, x) {
					bits = append(bits, number(dark[y][x] != masks[format&7](y, x)))
				}
			}
		}
	}
	take := func(n int) (value int) {
		for _, bit := range bits[:n] {
			value = value<<1 | bit
		}
		bits = bits[n:]
		return value
	}
	require.Equal(t, 0b0100, take(4), "the mode of bytes")
	text := make([]byte, take(8))
	for i := range text {
		text[i] = byte(take(8))
	}
	return string(text)
}

func number(is bool) int {
	if is {
		return 1
	}
	return 0
}
