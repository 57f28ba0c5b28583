package opinion_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goreleaser/goreleaser/v2/pkg/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The configuration of the artifacts has only members that goreleaser knows, in the types that it takes.
func TestGoreleaserConfiguration(t *testing.T) {
	file := filepath.Join("..", "..", ".goreleaser.yaml")
	project, err := config.Load(file)
	require.NoError(t, err)
	assert.Len(t, project.Builds, 3)
	assert.NotEmpty(t, project.Archives)
	assert.Equal(t, []string{"deb", "rpm"}, project.NFPMs[0].Formats)
	assert.Len(t, project.DockersV2, 1)
	assert.Len(t, project.SBOMs, 1)
	assert.Len(t, project.Signs, 1)
	assert.Len(t, project.Casks, 1)
	assert.Len(t, project.Scoops, 1)
	assert.Equal(t, "true", project.Release.Disable, "the workflow makes the release")
	assert.Equal(t, "true", project.Casks[0].SkipUpload, "nothing goes to another repository")
	assert.Equal(t, "true", project.Scoops[0].SkipUpload, "nothing goes to another repository")

	text, err := os.ReadFile(file)
	require.NoError(t, err)
	_, err = config.LoadReader(strings.NewReader(strings.Replace(string(text), "ldflags:", "ld_flags:", 1)))
	require.Error(t, err, "a member that goreleaser does not know")
}
