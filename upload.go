package wxpay

import (
	"context"
	"net/http"
)

// Upload sends a file as multipart/form-data with POST. Only the part meta is signed: a JSON text
// with the file's name and digest and the fields added by [File.Meta]. Names of parts and fields
// come from the catalogue if it knows the operation.
//
// The file streams: it is read once for its digest and once for each attempt, and never held in
// memory. If limits are documented, its suffix and size are checked before anything is sent. An
// upload has no total time limit, but ends when it stalls; see [WithTimeout]. Names are sent as raw
// UTF-8; a name with quotes or line breaks is an error. Upload returns when ctx ends, even while it
// reads a stuck file or pipe. It leaves the pending read behind, so do not use the reader or its
// memory again before that read has returned. An upload whose only effect is a new id is retried as
// safely as a read.
func (c Chain) Upload(ctx context.Context, file File) (*Response, error) {
	s := &sending{File: file}
	defer s.close()
	prepared, err := c.prepare(ctx, http.MethodPost, s)
	if err != nil {
		return nil, err
	}
	return send(ctx, prepared)
}

// UploadAsync is [Chain.Upload] in the background. The file is read for its digest before
// UploadAsync returns, and again when the call runs: do not change it before then.
func (c Chain) UploadAsync(ctx context.Context, file File) *Future {
	s := &sending{File: file}
	prepared, err := c.prepare(ctx, http.MethodPost, s)
	if err != nil {
		s.close()
		return failed(err)
	}
	future := submit(ctx, c.client.queue, prepared)
	if !future.whenEnded(s.close) {
		s.close()
	}
	return future
}
