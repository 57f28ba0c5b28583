package fleet

// Intake changes what [Queue.Submit] does. The zero value is useful.
type Intake struct {
	// Reject is told of each job that was not queued, in the order of the file, by one goroutine.
	Reject func(*LineError)
	// Progress is told how far it is, after every few jobs, by the same goroutine.
	Progress func(Submission)
	// Ahead, if it is not 0, has Submit wait while more jobs than that are in the queue, so that a file of any length needs
	// little room. Some worker has to be at work then.
	Ahead int
}

// Submission counts what became of jobs that were submitted.
type Submission struct {
	Queued   int // queued now
	Again    int // in the queue already, with the same request
	Ended    int // were carried out, or have ended, before
	Rejected int // not queued; Intake.Reject was told why
	// Corrected are queued now, with another request than the one that was refused before.
	Corrected int
}

// Read is how many jobs there were.
func (s Submission) Read() int { return s.Queued + s.Again + s.Ended + s.Rejected + s.Corrected }
