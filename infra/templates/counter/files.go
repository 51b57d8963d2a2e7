package main

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
)

// lowerFiles are files that the image brings (see the folder `lower`). Changing them writes whiteouts and copies into the
// container's own layer; the image stays as it is.
type lowerFiles struct{ folder string }

const overwritten = "overwritten by the actor\n"

// change deletes one, renames one, overwrites one, and leaves one alone. Once done it stays done.
func (f *lowerFiles) change(w http.ResponseWriter, _ *http.Request) {
	errs := []error{
		os.Remove(f.path("delete-me")),
		os.Rename(f.path("rename-me"), f.path("renamed")),
	}
	for _, err := range errs {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			refuse(w, http.StatusInternalServerError, err)
			return
		}
	}
	if err := os.WriteFile(f.path("overwrite-me"), []byte(overwritten), 0o644); err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	answer(w, f.state())
}

func (f *lowerFiles) check(w http.ResponseWriter, _ *http.Request) { answer(w, f.state()) }

// state is each file's content, null where there is none.
func (f *lowerFiles) state() map[string]*string {
	state := map[string]*string{}
	for _, name := range []string{"delete-me", "rename-me", "renamed", "overwrite-me", "keep-me"} {
		state[name] = nil
		if content, err := os.ReadFile(f.path(name)); err == nil {
			text := string(content)
			state[name] = &text
		}
	}
	return state
}

func (f *lowerFiles) path(name string) string { return filepath.Join(f.folder, "lower", name) }
