package wxpay

import (
	"context"
	"net/http"
)

// Upload sends a file as multipart/form-data with POST. Only the part meta is signed: a JSON text with the file's name and
// digest and the fields that [File.Meta] added. Names of parts and fields come from the catalogue where it knows the operation.
//
// The file streams: it is read once for its digest and once for each attempt, and never held in memory. Its suffix and size
// are checked before anything is sent, where limits are documented. An upload has no total time limit, but ends when it stalls;
// see [WithTimeout]. Names go out as raw UTF-8; one with quotes or line breaks is an error. When ctx ends Upload returns, also
// from reading a file or pipe that is stuck: the pending read is left behind, so do not use a reader again, nor its memory,
// before that read has returned. An upload that only costs a new id is repeated as safely as a read.
func (c Chain) Upload(ctx context.Context, file File) (*Response, error) {
	s := &sending{File: file}
	defer s.close()
	prepared, err := c.prepare(ctx, http.MethodPost, s)
	if err != nil {
		return nil, err
	}
	return send(ctx, prepared)
}

// UploadAsync is [Chain.Upload] in the background. The file is read for its digest before UploadAsync returns, and again
// when the call runs: it must stay as it is until then.
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
