package execute

import (
	"encoding/json"
	"maps"
	"strings"

	"dormouse/guest-agent/agentpb"
)

// describe makes the OCI process of a program: who the container itself runs as, with the command and what else was
// asked for.
func describe(container map[string]json.RawMessage, request *agentpb.ExecStart) ([]byte, error) {
	process := maps.Clone(container)
	if process == nil {
		process = map[string]json.RawMessage{}
	}
	var environment []string
	if raw, present := process["env"]; present {
		if err := json.Unmarshal(raw, &environment); err != nil {
			return nil, err
		}
	}
	if request.GetTerminal() {
		environment = withVariables(environment, []string{"TERM=xterm"})
	}
	changes := map[string]any{
		"args":     request.GetCommand(),
		"env":      withVariables(environment, request.GetEnvironment()),
		"terminal": request.GetTerminal(),
	}
	if folder := request.GetWorkingFolder(); folder != "" {
		changes["cwd"] = folder
	}
	for name, value := range changes {
		raw, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		process[name] = raw
	}
	return json.Marshal(process)
}

// withVariables puts NAME=value pairs over others of the same names.
func withVariables(environment, changes []string) []string {
	result := append([]string{}, environment...)
	for _, change := range changes {
		name, _, _ := strings.Cut(change, "=")
		kept := result[:0]
		for _, variable := range result {
			if before, _, _ := strings.Cut(variable, "="); before != name {
				kept = append(kept, variable)
			}
		}
		result = append(kept, change)
	}
	return result
}
