package fleet

import "time"

// Intake changes what [Queue.Submit] does. The zero value is useful.
type Intake struct {
	// Run, if it is not nil, says what the jobs come from (File, Hash), and is told the rest of
	// this run.
	Run *Run
	// Reject is told of each job that was not queued, in the order of the file, by one goroutine.
	Reject func(*LineError)
	// Progress is told how far it is, after every few jobs, by the same goroutine.
	Progress func(Submission)
	// Ahead, if it is not 0, has Submit wait while more jobs than that are in the queue, so that a
	// file of any length needs little room. A worker must be at work then.
	Ahead int
}

// Submission counts what became of jobs that were submitted.
type Submission struct {
	Queued   int `json:"queued"`   // queued now
	Again    int `json:"again"`    // in the queue already, with the same request
	Ended    int `json:"ended"`    // were carried out, or have ended, before
	Rejected int `json:"rejected"` // not queued; Intake.Reject was told why
	// Corrected are queued now, with another request than the one that was refused before.
	Corrected int `json:"corrected"`
}

// Read is how many jobs there were.
func (s Submission) Read() int { return s.Queued + s.Again + s.Ended + s.Rejected + s.Corrected }

// Run is one submission: which jobs were given to it, new ones and those of before.
type Run struct {
	// ID names it: the moment in UTC, and four letters or digits.
	ID string `json:"id"`
	// File and Hash are what the jobs came from, as Intake.Run says.
	File string `json:"file,omitempty"`
	Hash string `json:"hash,omitempty"`
	// Since is when it began, by the clock of the process that submitted.
	Since time.Time `json:"since"`
	// By is that process: its host and its number there.
	By string `json:"by"`
	// Count is what became of its jobs when they were submitted.
	Count Submission `json:"count"`
	// Complete says that all jobs were read. One that is not was broken off, or goes on.
	Complete bool `json:"complete"`
}
