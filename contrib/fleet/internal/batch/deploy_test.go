package batch_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// deployed is the folder with what operators take.
const deployed = "../../../../deploy"

// accepted asserts that the program has a command, and all flags that it is given, and that its help names the variables.
func accepted(t *testing.T, args, variables []string) {
	t.Helper()
	code, help, stderr := newShell(t).run(append(args, "--help")...)
	assert.Zero(t, code, "%v: %s", args, stderr)
	for _, name := range variables {
		assert.Contains(t, help, name, "a variable that the program does not know")
	}
}

// flag returns the value that a flag gets.
func flag(t *testing.T, args []string, name string) string {
	t.Helper()
	for i, arg := range args {
		if arg == name {
			return args[i+1]
		}
	}
	require.Fail(t, "missing", "%s in %v", name, args)
	return ""
}

// stopsInTime asserts that calls in hand may end before the process is killed.
func stopsInTime(t *testing.T, args []string, killed int) {
	t.Helper()
	grace, err := time.ParseDuration(flag(t, args, "--grace"))
	require.NoError(t, err)
	assert.Greater(t, time.Duration(killed)*time.Second, grace+5*time.Second)
}

// The unit for systemd starts the program as it is, and is right in systemd's own opinion.
func TestUnit(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(deployed, "systemd")
	text, err := os.ReadFile(filepath.Join(folder, "wxpay-batch.service"))
	require.NoError(t, err)
	settings := make(map[string][]string)
	for _, m := range regexp.MustCompile(`(?m)^(\w+)=(.*)$`).FindAllStringSubmatch(string(text), -1) {
		settings[m[1]] = append(settings[m[1]], m[2])
	}
	environ, err := os.ReadFile(filepath.Join(folder, "wxpay-batch.env"))
	require.NoError(t, err)
	var variables []string
	for _, m := range regexp.MustCompile(`(?m)\b(WXPAY_\w+)=`).FindAllStringSubmatch(string(environ)+strings.Join(settings["Environment"], "\n"), -1) {
		variables = append(variables, m[1])
	}
	require.Len(t, variables, 6)
	require.Len(t, settings["ExecStart"], 1)
	args := strings.Fields(settings["ExecStart"][0])
	accepted(t, args[1:], variables)
	stop, err := time.ParseDuration(settings["TimeoutStopSec"][0] + "s")
	require.NoError(t, err)
	stopsInTime(t, args, int(stop.Seconds()))
	for _, m := range regexp.MustCompile(`%d/(\S+)`).FindAllStringSubmatch(string(text), -1) {
		assert.Contains(t, settings["LoadCredential"], m[1]+":/etc/wxpay-batch/"+m[1])
	}

	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("there is no systemd-analyze here")
	}
	copied := filepath.Join(t.TempDir(), "wxpay-batch.service")
	program, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(copied, bytes.ReplaceAll(text, []byte("/usr/bin/wxpay-batch"), []byte(program)), 0o600))
	out, err := exec.Command("systemd-analyze", "verify", "--man=no", copied).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.NotContains(t, string(out), "wxpay-batch.service:")
}

// The container runs the program without a shell, a C library or privileges, from a base that nobody can exchange. That of
// wxpay has the program beside it that wxpay mcp runs.
func TestContainer(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(deployed, "container", "Dockerfile"))
	require.NoError(t, err)
	instructions := make(map[string]string) // the last of each name
	var lines []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, rest, found := strings.Cut(line, " ")
		require.True(t, found, line)
		instructions[name] = rest
		lines = append(lines, line)
	}
	require.Len(t, lines, 13, "nothing else is needed")
	assert.Regexp(t, `^FROM gcr\.io/distroless/static-\S+@sha256:[0-9a-f]{64} AS base$`, lines[1])
	assert.Equal(t, []string{
		"ARG TARGETPLATFORM", "ARG PROGRAM", "COPY ${TARGETPLATFORM}/${PROGRAM} /usr/bin/program",
		"FROM base AS wxpay", "ARG TARGETPLATFORM", "COPY ${TARGETPLATFORM}/wxpay-mcp /usr/bin/wxpay-mcp",
		"FROM base AS wxpay-batch", "FROM ${PROGRAM}",
	}, lines[2:10])
	assert.Equal(t, "ARG PROGRAM=wxpay", lines[0])
	var entry []string
	require.NoError(t, json.Unmarshal([]byte(instructions["ENTRYPOINT"]), &entry), "a text would need a shell")
	assert.Equal(t, []string{"/usr/bin/program"}, entry)
	pod, err := os.ReadFile(filepath.Join(deployed, "kubernetes", "deployment.yaml"))
	require.NoError(t, err)
	user, group, _ := strings.Cut(instructions["USER"], ":")
	assert.Contains(t, string(pod), "\n        runAsUser: "+user+"\n        fsGroup: "+group+"\n")
	release, err := os.ReadFile("../../../../.goreleaser.yaml")
	require.NoError(t, err)
	assert.Contains(t, string(release), "dockerfile: deploy/container/Dockerfile")
	assert.Contains(t, string(release), "CGO_ENABLED=0", "the base has no C library")
	assert.Contains(t, string(release), "binary: wxpay-mcp", "which the image copies")
}

type labels map[string]string

type selector struct {
	MatchLabels labels `yaml:"matchLabels"`
}

type metadata struct {
	Name, Namespace     string
	Labels, Annotations labels
}

// object is what the objects of deploy/kubernetes have of the types of Kubernetes. Another field is a mistake.
type object struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   metadata
	Spec       yaml.Node
	Data       labels
}

type probe struct {
	HTTPGet struct {
		Path, Port string
	} `yaml:"httpGet"`
	PeriodSeconds    int `yaml:"periodSeconds"`
	FailureThreshold int `yaml:"failureThreshold"`
	TimeoutSeconds   int `yaml:"timeoutSeconds"`
}

type deployment struct {
	Replicas int
	Selector selector
	Template struct {
		Metadata metadata
		Spec     struct {
			AutomountServiceAccountToken  *bool `yaml:"automountServiceAccountToken"`
			TerminationGracePeriodSeconds int   `yaml:"terminationGracePeriodSeconds"`
			SecurityContext               struct {
				RunAsNonRoot   bool                  `yaml:"runAsNonRoot"`
				RunAsUser      int                   `yaml:"runAsUser"`
				FSGroup        int                   `yaml:"fsGroup"`
				SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
			} `yaml:"securityContext"`
			TopologySpreadConstraints []struct {
				MaxSkew           int      `yaml:"maxSkew"`
				TopologyKey       string   `yaml:"topologyKey"`
				WhenUnsatisfiable string   `yaml:"whenUnsatisfiable"`
				LabelSelector     selector `yaml:"labelSelector"`
			} `yaml:"topologySpreadConstraints"`
			Containers []struct {
				Name, Image string
				Args        []string
				EnvFrom     []struct {
					ConfigMapRef struct{ Name string } `yaml:"configMapRef"`
				} `yaml:"envFrom"`
				Env []struct {
					Name, Value string
					ValueFrom   struct {
						FieldRef struct {
							FieldPath string `yaml:"fieldPath"`
						} `yaml:"fieldRef"`
					} `yaml:"valueFrom"`
				}
				Ports []struct {
					Name          string
					ContainerPort int `yaml:"containerPort"`
				}
				LivenessProbe   probe `yaml:"livenessProbe"`
				ReadinessProbe  probe `yaml:"readinessProbe"`
				Resources       struct{ Requests, Limits map[string]string }
				SecurityContext struct {
					AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
					ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
					Capabilities             struct{ Drop []string }
				} `yaml:"securityContext"`
				VolumeMounts []struct {
					Name      string
					MountPath string `yaml:"mountPath"`
					ReadOnly  bool   `yaml:"readOnly"`
				} `yaml:"volumeMounts"`
			}
			Volumes []struct {
				Name   string
				Secret struct {
					SecretName  string `yaml:"secretName"`
					DefaultMode int    `yaml:"defaultMode"`
				}
			}
		}
	}
}

type kustomization struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Resources  []string
	Images     []struct {
		Name   string
		NewTag string `yaml:"newTag"`
	}
	ConfigMapGenerator []struct {
		Name     string
		Literals []string
	} `yaml:"configMapGenerator"`
}

// strictly reads YAML, of which every field has to be known.
func strictly(t *testing.T, text []byte, to any) {
	t.Helper()
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(to))
	require.ErrorIs(t, decoder.Decode(new(any)), io.EOF)
}

// The objects for Kubernetes fit together, and start the program as it is.
func TestKubernetes(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(deployed, "kubernetes")
	text, err := os.ReadFile(filepath.Join(folder, "kustomization.yaml"))
	require.NoError(t, err)
	var k kustomization
	strictly(t, text, &k)
	require.Len(t, k.ConfigMapGenerator, 1)
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	require.NoError(t, err)
	require.Len(t, files, len(k.Resources)+1, "each file is used")

	pods := labels{"app.kubernetes.io/name": "wxpay-batch"}
	kinds := make(map[string]bool)
	for _, name := range k.Resources {
		text, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		var o object
		strictly(t, text, &o)
		kinds[o.APIVersion+" "+o.Kind] = true
		spec, err := yaml.Marshal(&o.Spec)
		require.NoError(t, err)
		switch o.Kind {
		case "Deployment":
			var d deployment
			strictly(t, spec, &d)
			checkDeployment(t, d, k, pods)
		case "PodDisruptionBudget":
			var b struct {
				MaxUnavailable int `yaml:"maxUnavailable"`
				Selector       selector
			}
			strictly(t, spec, &b)
			assert.Equal(t, pods, b.Selector.MatchLabels)
			assert.Equal(t, 1, b.MaxUnavailable)
		case "NetworkPolicy":
			var p struct {
				PodSelector selector `yaml:"podSelector"`
				PolicyTypes []string `yaml:"policyTypes"`
				Ingress     []struct {
					Ports []struct{ Port, Protocol string }
				}
			}
			strictly(t, spec, &p)
			assert.Equal(t, pods, p.PodSelector.MatchLabels)
			assert.Equal(t, []string{"Ingress"}, p.PolicyTypes)
			assert.Equal(t, "metrics", p.Ingress[0].Ports[0].Port)
		}
	}
	assert.Equal(t, map[string]bool{"apps/v1 Deployment": true, "policy/v1 PodDisruptionBudget": true, "networking.k8s.io/v1 NetworkPolicy": true}, kinds)

	if _, err := exec.LookPath("kubectl"); err != nil {
		t.Skip("there is no kubectl here")
	}
	out, err := exec.Command("kubectl", "kustomize", folder).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "image: "+k.Images[0].Name+":"+k.Images[0].NewTag)
}

func checkDeployment(t *testing.T, d deployment, k kustomization, pods labels) {
	t.Helper()
	pod := d.Template.Spec
	assert.Equal(t, pods, d.Selector.MatchLabels)
	assert.Equal(t, pods, d.Template.Metadata.Labels)
	assert.Equal(t, pods, pod.TopologySpreadConstraints[0].LabelSelector.MatchLabels)
	require.Len(t, pod.Containers, 1)
	c := pod.Containers[0]
	assert.Equal(t, k.Images[0].Name, c.Image)
	assert.Equal(t, k.ConfigMapGenerator[0].Name, c.EnvFrom[0].ConfigMapRef.Name)
	var variables []string
	for _, literal := range k.ConfigMapGenerator[0].Literals {
		name, _, _ := strings.Cut(literal, "=")
		variables = append(variables, name)
	}
	for _, e := range c.Env {
		if strings.HasPrefix(e.Name, "WXPAY_") {
			variables = append(variables, e.Name)
			assert.Regexp(t, "^file:"+c.VolumeMounts[0].MountPath+"/", e.Value, "a secret stands in no manifest")
		} else {
			assert.Contains(t, c.Args, "$("+e.Name+")")
		}
	}
	accepted(t, c.Args, variables)
	stopsInTime(t, c.Args, pod.TerminationGracePeriodSeconds)
	host, port, err := net.SplitHostPort(flag(t, c.Args, "--listen"))
	require.NoError(t, err)
	assert.Equal(t, "0.0.0.0", host, "who probes comes from outside")
	assert.Equal(t, port, d.Template.Metadata.Annotations["prometheus.io/port"])
	assert.EqualValues(t, port, fmt.Sprint(c.Ports[0].ContainerPort))
	for path, p := range map[string]probe{"/healthz": c.LivenessProbe, "/readyz": c.ReadinessProbe} {
		assert.Equal(t, path, p.HTTPGet.Path)
		assert.Equal(t, c.Ports[0].Name, p.HTTPGet.Port)
	}
	assert.Greater(t, c.ReadinessProbe.TimeoutSeconds, 5, "/readyz waits five seconds for the engine")
	assert.Equal(t, pod.Volumes[0].Name, c.VolumeMounts[0].Name)
	assert.True(t, pod.SecurityContext.RunAsNonRoot && c.SecurityContext.ReadOnlyRootFilesystem)
}
