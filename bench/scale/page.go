package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/template"
)

//go:embed scale.md.tmpl
var text string

// page makes the page of a record.
func page(file string) (string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	var all run
	for lines := json.NewDecoder(bytes.NewReader(content)); lines.More(); {
		var m measurement
		if err := lines.Decode(&m); err != nil {
			return "", err
		}
		all = append(all, m)
	}
	t, err := template.New("scale.md").Option("missingkey=error").Parse(text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	if err := t.Execute(&out, all); err != nil {
		return "", err
	}
	return out.String(), nil
}

// run is a whole record.
type run []measurement

func (r run) first(kind string) measurement {
	for _, m := range r {
		if m.Kind == kind {
			return m
		}
	}
	return measurement{Kind: kind, Failed: "not in the record"}
}

// Machine are the notes of the run.
func (r run) Machine() map[string]string { return r.first("machine").Notes }

// Merchants are the figures of the clients.
func (r run) Merchants() string {
	m := r.first("merchants")
	if m.Failed != "" {
		return "Not measured: " + m.Failed
	}
	v := m.Values
	return fmt.Sprintf("| %.0f merchants in one process | each |\n| --- | --- |\n| client | %.1f kB |\n| private key of crypto/rsa | %.1f kB |\n"+
		"| making the client | %.0f µs |", v["merchants"], v["client bytes"]/1e3, v["key bytes"]/1e3, v["microseconds to make one"])
}

// Notifications is the table of the dedupers.
func (r run) Notifications() string {
	return r.table("notifications", "| deduper | at once | processor time of this process | a processor does | measured a second |\n| --- | --- | --- | --- | --- |", "")
}

// Jobs is the table of the queues.
func (r run) Jobs() string {
	return r.table("jobs", "| way | at once | carried out: processor time of this process | a processor does | measured a second | adding: processor time |\n"+
		"| --- | --- | --- | --- | --- | --- |", "carry")
}

func (r run) table(kind, head, what string) string {
	rows := []string{head}
	for _, m := range r {
		if m.Kind != kind {
			continue
		}
		row := fmt.Sprintf("| %s | %d | ", m.Name, m.Callers)
		if m.Failed != "" {
			rows = append(rows, row+m.Failed+strings.Repeat(" |", strings.Count(head, "---")-2))
			continue
		}
		each := m.Values[what+" microseconds"]
		row += fmt.Sprintf("%.0f µs | %.0f | %.0f |", each, 1e6/each, m.Values[what+" a second"])
		if kind == "jobs" {
			adding := " |"
			if each, queued := m.Values["add microseconds"]; queued {
				adding = fmt.Sprintf(" %.0f µs |", each)
			}
			row += adding
		}
		rows = append(rows, row)
	}
	return strings.Join(rows, "\n")
}
