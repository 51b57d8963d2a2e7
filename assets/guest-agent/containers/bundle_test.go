package containers

import (
	"encoding/json"
	"reflect"
	"testing"
)

func decode(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var decoded map[string]any
	if err := json.Unmarshal(text, &decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

func TestCompleteConfigFillsInRootAndIdentityAndKeepsTheRest(t *testing.T) {
	config := `{"ociVersion":"1.2.0","root":{"path":"elsewhere","readonly":true},"x-unknown":[1],
		"mounts":[{"destination":"/proc","type":"proc","source":"proc"}]}`
	completed, err := completeConfig(config, "/guest/rootfs")
	if err != nil {
		t.Fatal(err)
	}
	got := decode(t, completed)
	if want := map[string]any{"path": "/guest/rootfs", "readonly": true}; !reflect.DeepEqual(got["root"], want) {
		t.Errorf("root %v", got["root"])
	}
	if !reflect.DeepEqual(got["x-unknown"], []any{1.0}) || got["ociVersion"] != "1.2.0" {
		t.Errorf("the rest changed: %v", got)
	}
	mounts := got["mounts"].([]any)
	last := mounts[len(mounts)-1].(map[string]any)
	if len(mounts) != 2 || last["destination"] != "/run/dormouse" || last["source"] != IdentityDir {
		t.Errorf("mounts %v", mounts)
	}
}

func TestCompleteConfigMakesWhatIsMissing(t *testing.T) {
	completed, err := completeConfig(`{}`, "/r")
	if err != nil {
		t.Fatal(err)
	}
	if got := decode(t, completed); len(got["mounts"].([]any)) != 1 || got["root"].(map[string]any)["path"] != "/r" {
		t.Errorf("completed %s", completed)
	}
}

func TestCompleteConfigRefusesWhatIsNoConfig(t *testing.T) {
	for _, config := range []string{``, `null`, `[]`, `"text"`, `{"root":1}`, `{"mounts":{}}`} {
		if completed, err := completeConfig(config, "/r"); err == nil {
			t.Errorf("%q was accepted: %s", config, completed)
		}
	}
}
