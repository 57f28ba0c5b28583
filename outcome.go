package wxpay

import (
	"github.com/wxpay-go/wxpay/internal/call"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/middleware"
)

// Outcome is what is known, after a call, about the operation at the platform. It belongs to the
// logical call, over all its attempts. Once an attempt ended with an unknown outcome, a later
// rejection does not clear it: the first attempt may have caused it by succeeding.
type Outcome = middleware.Outcome

const (
	// Unknown: the operation may have taken effect. Query it by your own number before repeating,
	// and repeat only with the same number and parameters. It is the zero value, because it is the
	// safe assumption.
	Unknown = middleware.Unknown
	// NotSent: not one byte left this process for the platform. Repeating is safe.
	NotSent = middleware.NotSent
	// Rejected: the platform rejected this request, which took no effect. It says nothing about the
	// merchant's number, which an earlier request may have used.
	Rejected = middleware.Rejected
	// Confirmed: the platform confirmed success, and a later local step failed. Never repeat it.
	Confirmed = middleware.Confirmed
)

// ErrOutcomeUnknown matches, with errors.Is, every error of a call whose Outcome is Unknown.
var ErrOutcomeUnknown = fault.New("outcome unknown")

// Stage is the part of a call that failed. It is an error, so that errors.Is(err,
// wxpay.StageVerify) works.
type Stage string

// Stages of a call, in order.
const (
	StageBuild    Stage = call.StageBuild
	StageQueue    Stage = call.StageQueue
	StageKeys     Stage = call.StageKeys
	StageSign     Stage = call.StageSign
	StageSend     Stage = call.StageSend
	StageVerify   Stage = call.StageVerify
	StageResponse Stage = call.StageResponse
	// StageDownload is between a download's header and its end.
	StageDownload Stage = call.StageDownload
	StageDecode   Stage = call.StageDecode
	// StageCallback is a step given to Future.Then.
	StageCallback Stage = call.StageCallback
	// StageEnsure is the work of Ensure and Resolve after an unknown outcome.
	StageEnsure Stage = call.StageEnsure
)

// Error returns the stage in words.
func (s Stage) Error() string { return string(s) }
