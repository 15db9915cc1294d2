package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// remove deletes a folder, but never where anything is mounted: a mounted /dev or home would be emptied too.
func remove(folder string) error {
	folder, err := filepath.EvalSymlinks(folder)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	mounts, err := mountPoints("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	return removeUnless(folder, mounts)
}

func removeUnless(folder string, mounts []string) error {
	for _, mount := range mounts {
		if mount == folder || strings.HasPrefix(mount, folder+"/") {
			return fmt.Errorf("not deleting %s: something is mounted on %s", folder, mount)
		}
	}
	return os.RemoveAll(folder)
}

// mountPoints reads the fifth column of Linux's list of mounts, in which blanks are written as \040. Elsewhere there is no
// such file, and this program mounts nothing.
func mountPoints(path string) ([]string, error) {
	file, err := os.Open(path) //nolint:gosec // the kernel's list
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // only read
	var mounts []string
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) > 4 {
			mounts = append(mounts, unescape(fields[4]))
		}
	}
	return mounts, lines.Err()
}

func unescape(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+3 < len(text) {
			if code, err := strconv.ParseUint(text[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(code))
				i += 3
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
