package opinion_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
)

// program builds wxpay, as its users do, and returns its file.
func program(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "wxpay.exe")
	build := exec.Command("go", "build", "-o", file, ".")
	build.Dir = filepath.Join("..", "..", "cmd", "wxpay")
	build.Env = append(os.Environ(), "GOWORK=off")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return file
}

// document returns what wxpay openapi prints.
func document(t *testing.T, program string, args ...string) string {
	t.Helper()
	command := exec.Command(program, append([]string{"openapi"}, args...)...)
	var trouble strings.Builder
	command.Stderr = &trouble
	out, err := command.Output()
	require.NoError(t, err, trouble.String())
	return string(out)
}

// validate has a document read and validated by a library that is not ours.
func validate(document string) (*openapi3.T, error) {
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData([]byte(document))
	if err != nil {
		return nil, err
	}
	return doc, doc.Validate(loader.Context)
}

func TestOpenAPI(t *testing.T) {
	wxpay := program(t)

	t.Run("all operations", func(t *testing.T) {
		doc, err := validate(document(t, wxpay))
		require.NoError(t, err)
		assert.True(t, doc.IsOpenAPI31OrLater())
		described := make(map[string]bool)
		for _, item := range doc.Paths.Map() {
			for _, operation := range item.Operations() {
				assert.False(t, described[operation.OperationID], operation.OperationID)
				described[operation.OperationID] = true
			}
		}
		operations, alike := 0, 0
		for operation := range catalog.V3().All() {
			operations++
			if len(operation.Also) > 0 {
				alike++
			}
		}
		assert.LessOrEqual(t, len(described), operations)
		assert.GreaterOrEqual(t, len(described), operations-alike, "only look-alikes share an item")
	})

	good := document(t, wxpay, "--path", "v3/pay/transactions/id")
	_, err := validate(good)
	require.NoError(t, err)
	for _, tt := range []struct{ name, old, broken string }{
		{"a path parameter that is not declared", `"in": "path"`, `"in": "query"`},
		{"a placeholder of another name", `/id/{transaction_id}"`, `/id/{other}"`},
		{"a type that is none", `"type": "string"`, `"type": "text"`},
		{"no description", `"description": "success"`, `"summary": "success"`},
		{"a reference to nothing", `"#/components/responses/Rejection"`, `"#/components/responses/None"`},
		{"a member that OpenAPI does not know", `"operationId"`, `"operationID"`},
	} {
		t.Run("finds "+tt.name, func(t *testing.T) {
			require.Contains(t, good, tt.old)
			_, err := validate(strings.Replace(good, tt.old, tt.broken, 1))
			assert.Error(t, err)
		})
	}
}
