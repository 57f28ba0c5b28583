// Package jserror tells errors of JetStream apart. Codes are those of nats-server's errors.json; where several reasons share a
// code, the text decides.
package jserror

import (
	"errors"
	"net/http"
	"slices"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// storeFailed is the code of every message that a stream refused to store.
	storeFailed jetstream.ErrorCode = 10077
	// duplicateInProcess is JSStreamDuplicateMessageConflict.
	duplicateInProcess jetstream.ErrorCode = 10158
)

// Codes for lack of room: of the account, of the server, of its disk. The limits of a single stream have a text and no code of
// their own.
var (
	noRoomCodes = []jetstream.ErrorCode{10002, 10023, 10047}
	noRoomTexts = []string{server.ErrMaxBytes.Error(), server.ErrMaxMsgs.Error()}
)

// WrongSequence reports whether a publish failed because the subject does not stand where it was expected to, or perhaps
// will not (InProcess).
func WrongSequence(err error) bool {
	return isCode(err, jetstream.JSErrCodeStreamWrongLastSequence) || isCode(err, jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

// InProcess reports whether a leader does not know yet: the same message, or another one on its subject, is on its way
// to the other copies. Another request tells the result.
func InProcess(err error) bool {
	return isCode(err, jetstream.JSErrCodeStreamWrongLastSequenceConstant) || isCode(err, duplicateInProcess)
}

// SubjectFull reports whether a message was refused because its subject has its one message.
func SubjectFull(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == storeFailed && api.Description == server.ErrMaxMsgsPerSubject.Error()
}

// NoRoom reports whether a message was refused for lack of room.
func NoRoom(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (slices.Contains(noRoomCodes, api.ErrorCode) || slices.Contains(noRoomTexts, api.Description))
}

// Unavailable reports whether err is one of JetStream's, and whether that may be gone in a moment: a cluster elects a leader.
func Unavailable(err error) (of, passing bool) {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return false, false
	}
	return true, InProcess(err) || api.Code == http.StatusServiceUnavailable && api.ErrorCode != storeFailed
}

// isCode reports whether err is one of JetStream's with a code.
func isCode(err error, code jetstream.ErrorCode) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == code
}
