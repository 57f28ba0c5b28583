package sandbox

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
)

// images are those that were uploaded for complaints: the last ones, up to a bound.
type images struct {
	content map[string][]byte // by media_id
	order   []string
	bytes   int
}

// maxImages bounds the bytes of all images.
const maxImages = 16 << 20

// keep remembers an image. The mutex of files is held.
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

// userImage begins the id of an image that a user sent with a complaint. What stands behind it makes the image: the same
// id gives the same one. In a media_url the id is percent-encoded, as the platform's are.
const userImage = "////sandbox/"

// illustrated adds the image that a user sent with a complaint.
func (c *call) illustrated(complaint map[string]any) map[string]any {
	id := userImage + base64.StdEncoding.EncodeToString([]byte(complaint["complaint_id"].(string)))
	complaint["complaint_media_list"] = []any{map[string]any{
		"media_type": "USER_COMPLAINT_IMAGE", "media_url": []any{c.base() + "/v3/merchant-service/images/" + url.PathEscape(id)},
	}}
	return complaint
}

func (c *call) showImage() (any, *refusal) {
	id := c.path["media_id"]
	if name, ok := strings.CutPrefix(id, userImage); ok {
		return fileOf("image/png", picture(name)), nil
	}
	c.files.mu.Lock()
	content, known := c.files.images.content[id]
	c.files.mu.Unlock()
	if !known {
		return nil, &refusal{
			status: http.StatusNotFound, code: "RESOURCE_NOT_EXISTS", number: numberUndocumented,
			message: text{"图片不存在", "the image does not exist"},
			reason:  "no image has this media_id, which was read as " + id + ": an id that is percent-encoded already must not be encoded again",
		}
	}
	return fileOf(http.DetectContentType(content), content), nil
}

// picture draws a small PNG, another one for every name.
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
