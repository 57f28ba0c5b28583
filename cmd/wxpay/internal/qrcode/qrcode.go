// Package qrcode draws a QR code for a terminal and as PNG.
package qrcode

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"strings"

	"rsc.io/qr"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// Code is a QR code.
type Code struct{ dark [][]bool } // with its margin

// margin is the light space around a code, in modules (ISO/IEC 18004).
const margin = 4

// New returns the code of a text. The only error is a text that is too long for a code.
func New(text string) (*Code, error) {
	made, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil, shell.Say("the text of %d bytes makes no QR code: %w", len(text), err)
	}
	c := &Code{make([][]bool, made.Size+2*margin)}
	for y := range c.dark {
		c.dark[y] = make([]bool, len(c.dark))
		for x := range c.dark {
			c.dark[y][x] = made.Black(x-margin, y-margin) // light outside
		}
	}
	return c, nil
}

// Text returns the code in half blocks, two rows of modules a line. With colours it is black on white; without, the light
// modules are drawn, for terminals whose background is dark.
func (c *Code) Text(colours bool) string {
	before, after := "", "\n"
	if colours {
		before, after = "\x1b[38;5;16;48;5;231m", "\x1b[0m\n"
	}
	var b strings.Builder
	for y := 0; y < len(c.dark); y += 2 {
		b.WriteString(before)
		for x := range c.dark {
			upper, lower := c.dark[y][x], y+1 < len(c.dark) && c.dark[y+1][x]
			if !colours {
				upper, lower = !upper, !lower
			}
			switch {
			case upper && lower:
				b.WriteString("█")
			case upper:
				b.WriteString("▀")
			case lower:
				b.WriteString("▄")
			default:
				b.WriteString(" ")
			}
		}
		b.WriteString(after)
	}
	return b.String()
}

// PNG returns the code as an image, 8 pixels a module.
func (c *Code) PNG() ([]byte, error) {
	const side = 8
	size := len(c.dark) * side
	picture := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{color.White, color.Black})
	for y := range size {
		for x := range size {
			if c.dark[y/side][x/side] {
				picture.SetColorIndex(x, y, 1)
			}
		}
	}
	var out bytes.Buffer
	err := png.Encode(&out, picture)
	return out.Bytes(), err
}
