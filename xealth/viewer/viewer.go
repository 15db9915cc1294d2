package viewer

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"
)

//go:embed assets
var embedded embed.FS

//go:embed head.html page.html problem.html
var templateFiles embed.FS

var templates = template.Must(template.ParseFS(templateFiles, "*.html"))

// Asset is a file that the page loads.
type Asset struct {
	Content   []byte
	MediaType string
	Tag       string // changes with the content
	gzipped   func() []byte
}

// Gzipped returns the content in compressed form, nil if compression does not help.
func (a *Asset) Gzipped() []byte { return a.gzipped() }

// started stands for the time of change, which embedded files do not have.
var started = time.Now().UTC().Truncate(time.Second)

// ModTime returns when the asset changed, as far as this process knows.
func (a *Asset) ModTime() time.Time { return started }

// mediaTypes holds every type of file that is served; others are not.
var mediaTypes = map[string]string{
	".mjs": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml",
	".pfb": "application/octet-stream",
	".ttf": "font/ttf",
	"":     "text/plain; charset=utf-8", // licenses
}

// assets are read once. Their names are relative to the folder in which the page is one folder deep: web/viewer.css.
var assets, version = mustReadAssets()

// Find returns an asset by its name, or nil. A name is never a way out of the folder: it is only compared.
func Find(name string) *Asset { return assets[name] }

// Version changes with any of the assets. The page asks for them under their version, so that they can be kept for long.
func Version() string { return version }

func mustReadAssets() (map[string]*Asset, string) {
	files := map[string]*Asset{}
	all := sha256.New()
	root, err := fs.Sub(embedded, "assets")
	if err == nil {
		err = fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := fs.ReadFile(root, name)
			if err != nil {
				return err
			}
			mediaType, ok := mediaTypes[path.Ext(name)]
			if !ok {
				return fmt.Errorf("%s: unknown type of file", name)
			}
			sum := sha256.Sum256(content)
			_, _ = all.Write(append([]byte(name), sum[:]...)) // a hash takes everything
			files[name] = &Asset{
				Content: content, MediaType: mediaType, Tag: hex.EncodeToString(sum[:8]),
				gzipped: sync.OnceValue(func() []byte { return compress(content) }),
			}
			return nil
		})
	}
	if err != nil {
		panic(fmt.Sprintf("viewer: %v", err)) // the files are part of the binary
	}
	return files, hex.EncodeToString(all.Sum(nil)[:8])
}

func compress(content []byte) []byte {
	var buffer bytes.Buffer
	w, _ := gzip.NewWriterLevel(&buffer, gzip.BestCompression) // the level is valid
	_, _ = w.Write(content)                                    // a buffer takes everything
	_ = w.Close()
	if buffer.Len() > len(content)*9/10 {
		return nil
	}
	return buffer.Bytes()
}

// Page is a page with the policy under which a browser may show it.
type Page struct {
	HTML   []byte
	Policy string // of the content: what the page may load, and from where
}

// Report returns the page that fetches and shows the PDF at the address, which is a secret and ends up in the page.
func Report(pdfURL string) (Page, error) {
	random := make([]byte, 16)
	_, _ = rand.Read(random) // never fails
	nonce := hex.EncodeToString(random)
	html, err := render("page.html", map[string]string{"PDFURL": pdfURL, "Nonce": nonce, "Version": version})
	return Page{HTML: html, Policy: reportPolicy(pdfURL, nonce)}, err
}

// Problem returns the page that says why there is no report.
func Problem(title, text string) (Page, error) {
	html, err := render("problem.html", map[string]string{"Title": title, "Text": text, "Version": version})
	return Page{HTML: html, Policy: "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"}, err
}

func render(name string, data map[string]string) ([]byte, error) {
	var buffer bytes.Buffer
	err := templates.ExecuteTemplate(&buffer, name, data)
	return buffer.Bytes(), err
}

// reportPolicy keeps the page from loading anything but its own files and the PDF. It says nothing about who may embed the
// page: that is the health record, wherever it is.
func reportPolicy(pdfURL, nonce string) string {
	connect := "'self'"
	if address, err := url.Parse(pdfURL); err == nil && address.Host != "" {
		connect += " " + address.Scheme + "://" + address.Host
	}
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self' 'nonce-" + nonce + "'",
		"worker-src 'self'",
		"style-src 'self'",
		"font-src 'self'",
		"img-src 'self' blob:", // pages that are printed
		"connect-src " + connect,
		"base-uri 'none'",
		"form-action 'none'",
	}, "; ")
}
