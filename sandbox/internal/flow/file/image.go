package file

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// images are the images that were uploaded for complaints. The oldest give way to new ones.
type images struct {
	content map[string][]byte // by media_id
	order   []string
	bytes   int
}

// maxImages bounds the bytes of all images.
const maxImages = 16 << 20

// keep remembers an image. The caller holds the mutex of the flow.
func (m *images) keep(id string, content []byte) {
	if m.content == nil {
		m.content = make(map[string][]byte)
	}
	m.content[id] = slices.Clone(content)
	m.order = append(m.order, id)
	for m.bytes += len(content); m.bytes > maxImages; m.order = m.order[1:] {
		m.bytes -= len(m.content[m.order[0]])
		delete(m.content, m.order[0])
	}
}

// Flow is the images of one merchant. No snapshot has them.
type Flow struct {
	*gate.Merchant
	mu     sync.Mutex
	images images
}

// userImage begins the id of an image that a user sent with a complaint. The rest of the id
// determines the image. A media_url has the id percent-encoded, as those of the platform do.
const userImage = "////sandbox/"

// UserImage returns the address of the image that a user sent with a complaint.
func UserImage(c *gate.Call, complaintID string) string {
	id := userImage + base64.StdEncoding.EncodeToString([]byte(complaintID))
	return ImageURL(c, url.PathEscape(id))
}

// ImageURL returns the address of an image. The caller escapes the id.
func ImageURL(c *gate.Call, id string) string { return c.Base() + "/v3/merchant-service/images/" + id }

func (f *Flow) showImage(c *gate.Call) (any, *say.Rejection) {
	id := c.Path["media_id"]
	if name, ok := strings.CutPrefix(id, userImage); ok {
		return gate.FileOf("image/png", picture(name)), nil
	}
	f.mu.Lock()
	content, known := f.images.content[id]
	f.mu.Unlock()
	if !known {
		return nil, say.NotFound("RESOURCE_NOT_EXISTS", say.Both("图片不存在", "the image does not exist"),
			"no image has this media_id, which was read as "+id+": an id that is percent-encoded already must not be encoded again")
	}
	return gate.FileOf(http.DetectContentType(content), content), nil
}

// picture draws a small PNG that the name determines.
func picture(name string) []byte {
	sum := sha256.Sum256([]byte(name))
	const side = 8
	drawn := image.NewRGBA(image.Rect(0, 0, side, side))
	for i := range side * side {
		v := sum[i%len(sum)]
		drawn.SetRGBA(i%side, i/side, color.RGBA{v, v ^ sum[0], v ^ sum[1], 255})
	}
	var b bytes.Buffer
	png.Encode(&b, drawn) // a buffer takes everything
	return b.Bytes()
}
