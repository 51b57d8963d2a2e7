package containers

import (
	"encoding/json"
	"fmt"
	"os"
)

// identityMount shows the guest's identity folder in a container. It is a folder, not a file: Wake replaces actor.json by
// a rename, which a bind mount of the file itself would never see.
var identityMount = json.RawMessage(`{"destination":"/run/dormouse","type":"bind","source":"` + IdentityDir +
	`","options":["rbind","ro","nosuid","nodev","noexec"]}`)

// completeConfig fills into an OCI config.json what only the guest knows: where the root is, and the identity mount. The
// rest passes through untouched, whatever the version of the specification.
func completeConfig(config, rootPath string) ([]byte, error) {
	var document, root map[string]json.RawMessage
	if err := json.Unmarshal([]byte(config), &document); err != nil {
		return nil, fmt.Errorf("the OCI config is not a JSON object: %w", err)
	}
	if document == nil {
		return nil, fmt.Errorf("the OCI config is not a JSON object")
	}
	if raw, present := document["root"]; present {
		if err := json.Unmarshal(raw, &root); err != nil {
			return nil, fmt.Errorf("root of the OCI config: %w", err)
		}
	}
	if root == nil {
		root = map[string]json.RawMessage{}
	}
	var mounts []json.RawMessage
	if raw, present := document["mounts"]; present {
		if err := json.Unmarshal(raw, &mounts); err != nil {
			return nil, fmt.Errorf("mounts of the OCI config: %w", err)
		}
	}
	root["path"] = encode(rootPath)
	document["root"] = encode(root)
	document["mounts"] = encode(append(mounts, identityMount))
	return encode(document), nil
}

// encode marshals what consists of strings and of JSON that was parsed before; it cannot fail.
func encode(value any) json.RawMessage {
	encoded, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return encoded
}

func writeBundle(paths paths, config string) error {
	completed, err := completeConfig(config, paths.root)
	if err != nil {
		return err
	}
	return os.WriteFile(paths.bundle+"/config.json", completed, 0o600)
}
