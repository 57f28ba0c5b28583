package vet

import "golang.org/x/tools/go/analysis"

// Analyzers returns every check.
func Analyzers() []*analysis.Analyzer {
	return []*analysis.Analyzer{
		checkPath, checkQuery, checkBody, checkResponse, checkState, checkEvent, checkCode, checkEncrypt, checkUpload,
		checkOutcome, checkVerdict, checkRetry, checkAmount, checkConcat, checkSecret, checkIgnore,
	}
}
