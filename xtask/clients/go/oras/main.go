// Command oras is a small client on the library oras-go: what the library does against a registry, one call a command.
//
// Where a target is expected, HOST:PORT/NAME is a repository and anything that starts with a slash is an OCI layout.
// Registries speak plain HTTP, and TLS where the environment has ORAS_TLS. ORAS_LOGIN is `name:password`.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	oras "oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content/oci"
	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
)

const usage = `oras copy       FROM REFERENCE TO REFERENCE
oras copy-graph FROM REFERENCE TO REFERENCE   with everything that refers to it
oras digest     TARGET REFERENCE
oras tags       REPOSITORY
oras referrers  REPOSITORY DIGEST TYPE
oras delete     REPOSITORY REFERENCE
oras repositories HOST:PORT`

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	command := fmt.Sprintf("%d ", len(args))
	if len(args) > 0 {
		command += args[0]
	}
	switch command {
	case "5 copy", "5 copy-graph":
		from, err := target(args[1])
		if err != nil {
			return err
		}
		to, err := target(args[3])
		if err != nil {
			return err
		}
		return copied(ctx, from, args[2], to, args[4], args[0] == "copy-graph")
	case "3 digest":
		from, err := target(args[1])
		if err != nil {
			return err
		}
		found, err := from.Resolve(ctx, args[2])
		if err != nil {
			return err
		}
		fmt.Println(found.Digest)
		return nil
	case "2 tags":
		repository, err := repository(args[1])
		if err != nil {
			return err
		}
		return repository.Tags(ctx, "", printed)
	case "4 referrers":
		repository, err := repository(args[1])
		if err != nil {
			return err
		}
		subject, err := repository.Resolve(ctx, args[2])
		if err != nil {
			return err
		}
		return repository.Referrers(ctx, subject, args[3], func(found []ocispec.Descriptor) error {
			for _, one := range found {
				fmt.Println(one.Digest)
			}
			return nil
		})
	case "3 delete":
		repository, err := repository(args[1])
		if err != nil {
			return err
		}
		found, err := repository.Resolve(ctx, args[2])
		if err != nil {
			return err
		}
		return repository.Delete(ctx, found)
	case "2 repositories":
		host, err := remote.NewRegistry(args[1])
		if err != nil {
			return err
		}
		host.PlainHTTP = true
		return host.Repositories(ctx, "", printed)
	}
	return fmt.Errorf("usage:\n%s", usage)
}

func copied(ctx context.Context, from oras.ReadOnlyGraphTarget, source string, to oras.Target, name string, graph bool) error {
	if graph {
		_, err := oras.ExtendedCopy(ctx, from, source, to, name, oras.DefaultExtendedCopyOptions)
		return err
	}
	_, err := oras.Copy(ctx, from, source, to, name, oras.DefaultCopyOptions)
	return err
}

func target(name string) (oras.GraphTarget, error) {
	if strings.HasPrefix(name, "/") {
		return oci.New(name)
	}
	return repository(name)
}

func repository(name string) (*remote.Repository, error) {
	found, err := remote.NewRepository(name)
	if err != nil {
		return nil, err
	}
	_, tls := os.LookupEnv("ORAS_TLS")
	found.PlainHTTP = !tls
	user, password, ok := strings.Cut(os.Getenv("ORAS_LOGIN"), ":")
	if ok {
		login := auth.Credential{Username: user, Password: password}
		found.Client = &auth.Client{Credential: auth.StaticCredential(found.Reference.Registry, login)}
	}
	return found, nil
}

func printed(names []string) error {
	for _, name := range names {
		fmt.Println(name)
	}
	return nil
}

var _ registry.Repository = (*remote.Repository)(nil)
