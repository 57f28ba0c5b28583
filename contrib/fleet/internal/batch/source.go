package batch

import (
	"cmp"
	"errors"
	"iter"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/textfile"
)

// sourceOptions say where jobs come from.
type sourceOptions struct {
	file, method, path string
	columns, skipped   []string
	worksheet          string
	number, order      string
	expires            string
	format, comma      string
	encoding           string
	rejects            string
	unlisted           bool
	dry                bool

	sheet  fleet.Sheet
	header fleet.Header // once it is read, of a table
}

const sourceHelp = `FILE is NDJSON, one body a line, or a table whose first line names the columns: CSV or a workbook (.xlsx); - is stdin. A
column goes to the member of its name (amount.total to a member inside), or to the one whose label in the manual it has
(退款原因 is reason). --map says otherwise:
  --map user_card_code=code           from another column     --map '{user_card_code}=code'   into the path
  --map amount.refund=退款金额:yuan   in yuan, sent in fen    --map '?brand_id=brand'         into the query
  --map amount.currency==CNY          the same in each line   --map balance=points:integer    with a JSON type
An amount needs its unit, :yuan or :fen, unless its column has the name of the member. --skip COLUMN leaves a column out,
--skip '*' all that --map does not name, and one whose name begins with # is never sent. The columns that these flags name have
to stand in the first line, or nothing is read.
Without PATH each line of an NDJSON file is a whole job: {"method":…,"path":…,"vars":{},"query":{},"body":{},"number":…}.

Every line is checked against what is documented before it is queued. Lines that are no jobs go to --rejects as they are,
with line number and reason: mend them there, and give that file to the same command. The others go on. A number is known for good: submitted again with the same request it is not sent again, with
another request it is rejected, unless the platform refused the one of before: then the corrected one takes its place.`

func (o *sourceOptions) flags(flags *pflag.FlagSet) {
	flags.StringArrayVar(&o.columns, "map", nil, "from which column a field comes: `FIELD=COLUMN[:TYPE]`, or FIELD==VALUE")
	flags.StringArrayVar(&o.skipped, "skip", nil, "a `COLUMN` that goes nowhere; * for all that --map does not name")
	flags.StringVar(&o.worksheet, "sheet", "", "the `NAME` of the worksheet of a workbook (default: the first that is not hidden)")
	flags.StringVar(&o.number, "number", "", "the `FIELD` with the merchant's own number, or {placeholder} (default: the documented one)")
	flags.StringVar(&o.order, "order-by", "", "the `FIELD` whose jobs run one after another; an unknown outcome holds up those behind it")
	flags.StringVar(&o.expires, "expires", "", "when what was not sent is not worth sending: a `TIME` (RFC 3339) or a duration such as 36h")
	flags.BoolVar(&o.dry, "dry-run", false, "check all lines, show the first requests and the sums of the amounts, and send nothing")
	flags.BoolVar(&o.unlisted, "new", false, "take a path that the catalogue does not know; --number names the field with the number")
	flags.StringVar(&o.format, "format", "", "`ndjson`, csv or xlsx (default: by the beginning and the name of FILE)")
	flags.StringVar(&o.comma, "comma", "",
		"the `CHARACTER` between the fields of a CSV file, or tab (default: recognised, of comma, tab and semicolon)")
	flags.StringVar(&o.encoding, "encoding", "",
		"the `ENCODING` of FILE: utf-8, gb18030 (includes GBK), utf-16le or utf-16be (default: recognised)")
	flags.StringVar(&o.rejects, "rejects", "", "the `FILE` for lines that are no jobs, of the form of FILE (default: a new one beside FILE, such as refunds.rejects.csv or refunds.rejects.2.csv)")
}

// arguments reads FILE [METHOD] [PATH].
func (o *sourceOptions) arguments(args []string) error {
	switch {
	case len(args) == 0:
		return usageError("the file is missing: name one, or - for stdin")
	case len(args) > 3:
		return usageError("there are %d arguments, FILE, METHOD and PATH are expected", len(args))
	}
	o.file = args[0]
	rest := args[1:]
	if len(rest) > 0 && slices.Contains(methods, strings.ToUpper(rest[0])) {
		o.method, rest = strings.ToUpper(rest[0]), rest[1:]
		if len(rest) == 0 {
			return usageError("the path is missing after the method %s", o.method)
		}
	}
	if len(rest) > 1 {
		return usageError("the method %q is not one of %s", args[1], strings.Join(methods, ", "))
	}
	if len(rest) == 1 {
		o.path = rest[0]
		if err := (wxpay.Chain{}).Chain(o.path).Err(); err != nil {
			return err
		}
		method := cmp.Or(o.method, http.MethodPost)
		if !o.unlisted && !known(method, o.path) {
			return usageError("the catalogue does not know %s %s: compare it with the manual, or say --new if it is one", method, o.path)
		}
	}
	if o.path == "" && len(o.columns)+len(o.skipped) > 0 {
		return usageError("--map and --skip need a path: without one each line is a whole job")
	}
	if o.format == "" {
		o.format = formatOf(o.file)
	}
	switch {
	case o.format != "ndjson" && o.format != "csv" && o.format != "xlsx":
		return usageError("the format %q is not ndjson, csv or xlsx", o.format)
	case o.format != "ndjson" && o.path == "":
		return usageError("jobs from a table need a path")
	case o.format == "xlsx" && o.file == "-":
		return usageError("a workbook cannot be read from stdin: name its file")
	case o.format != "xlsx" && o.worksheet != "":
		return usageError("--sheet belongs to a workbook")
	case o.rejects == "-":
		return usageError("--rejects needs the name of a file")
	case sameFile(o.rejects, o.file):
		return usageError("--rejects names the file that is read")
	case len(o.comma) > 1 && o.comma != "tab":
		return usageError("--comma takes one character, or the word tab")
	}
	if o.encoding != "" {
		if _, ok := textfile.ParseEncoding(o.encoding); !ok {
			return usageError("the encoding %q is not utf-8, gb18030, utf-16le or utf-16be", o.encoding)
		}
	}
	o.sheet = fleet.Sheet{
		File: filepath.Base(o.file), Method: o.method, Path: o.path, Number: o.number, Order: o.order, Worksheet: o.worksheet,
	}
	if o.file == "-" {
		o.sheet.File = "stdin"
	}
	for _, text := range o.columns {
		c, err := fleet.ParseColumn(text)
		if err != nil {
			return usageError("--map: %w", err)
		}
		if slices.ContainsFunc(o.sheet.Map, func(have fleet.Column) bool { return have.To == c.To && !strings.HasPrefix(c.To, "?") }) {
			return usageError("--map says twice from where %q comes", c.To)
		}
		o.sheet.Map = append(o.sheet.Map, c)
	}
	for _, name := range o.skipped {
		if name == "" || slices.ContainsFunc(o.sheet.Map, func(have fleet.Column) bool { return have.From == name }) {
			return usageError("--skip %q: there is none of that name to be left out", name)
		}
		o.sheet.Map = append(o.sheet.Map, fleet.Column{From: name})
	}
	if o.expires != "" {
		if d, err := time.ParseDuration(o.expires); err == nil {
			o.sheet.Expires = time.Now().Add(d)
		} else if o.sheet.Expires, err = time.Parse(time.RFC3339, o.expires); err != nil {
			return usageError("--expires takes a duration such as 36h, or a time such as 2026-12-31T00:00:00+08:00")
		}
		if !o.sheet.Expires.After(time.Now()) {
			return usageError("--expires: that time is over, so nothing would be sent")
		}
	}
	return nil
}

var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

var errNew = errors.New("the catalogue does not know its path")

// listed rejects the jobs that have a path of their own which the catalogue does not know, unless
// --new was given. A single job could be a new operation, but nobody wants to send a file of jobs
// with a mistyped path.
func (o *sourceOptions) listed(jobs iter.Seq2[fleet.Job, error]) iter.Seq2[fleet.Job, error] {
	if o.unlisted || o.path != "" { // which was looked up
		return jobs
	}
	return func(yield func(fleet.Job, error) bool) {
		for job, err := range jobs {
			if err == nil && job.Path != "" && !known(job.Method, job.Path) {
				err = &fleet.LineError{File: job.File, Line: job.Line, Source: job.Source, Err: errNew}
			}
			if !yield(job, err) {
				return
			}
		}
	}
}

func known(method, path string) bool {
	_, ok := catalog.V3().Lookup(cmp.Or(method, http.MethodPost), "/"+strings.TrimPrefix(path, "/"))
	return ok
}
