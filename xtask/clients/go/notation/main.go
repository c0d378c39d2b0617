// Command notation signs and verifies with the library notation-go, which keeps signatures as referrers.
//
//	notation HOST:PORT/NAME SIGNED UNSIGNED
//
// It makes a certificate, signs the manifest SIGNED, verifies that under a strict policy, and exits 1 unless the verification passes for
// SIGNED and fails for UNSIGNED.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"os"
	"time"

	"github.com/notaryproject/notation-core-go/signature/jws"
	"github.com/notaryproject/notation-go"
	notationregistry "github.com/notaryproject/notation-go/registry"
	"github.com/notaryproject/notation-go/signer"
	"github.com/notaryproject/notation-go/verifier"
	"github.com/notaryproject/notation-go/verifier/trustpolicy"
	"github.com/notaryproject/notation-go/verifier/truststore"
	"oras.land/oras-go/v2/registry/remote"
)

// trusted is a trust store in memory that holds one certificate.
type trusted struct{ certificate *x509.Certificate }

func (t trusted) GetCertificates(context.Context, truststore.Type, string) ([]*x509.Certificate, error) {
	return []*x509.Certificate{t.certificate}, nil
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: notation HOST:PORT/NAME SIGNED UNSIGNED")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name, signed, unsigned string) error {
	repository, err := remote.NewRepository(name)
	if err != nil {
		return err
	}
	repository.PlainHTTP = true
	key, certificate, err := identity()
	if err != nil {
		return err
	}
	sign, err := signer.NewGenericSigner(key, []*x509.Certificate{certificate})
	if err != nil {
		return err
	}
	kept := notationregistry.NewRepository(repository)
	reference := name + "@" + signed
	how := notation.SignOptions{
		SignerSignOptions: notation.SignerSignOptions{SignatureMediaType: jws.MediaTypeEnvelope},
		ArtifactReference: reference,
	}
	if _, err := notation.Sign(ctx, sign, kept, how); err != nil {
		return fmt.Errorf("signing: %w", err)
	}
	policy := &trustpolicy.Document{
		Version: "1.0",
		TrustPolicies: []trustpolicy.TrustPolicy{{
			Name:                  "everything",
			RegistryScopes:        []string{"*"},
			SignatureVerification: trustpolicy.SignatureVerification{VerificationLevel: "strict"},
			TrustStores:           []string{"ca:here"},
			TrustedIdentities:     []string{"*"},
		}},
	}
	verify, err := verifier.New(policy, trusted{certificate}, nil)
	if err != nil {
		return err
	}
	if _, _, err := notation.Verify(ctx, verify, kept, notation.VerifyOptions{ArtifactReference: reference, MaxSignatureAttempts: 5}); err != nil {
		return fmt.Errorf("verifying what was signed: %w", err)
	}
	options := notation.VerifyOptions{ArtifactReference: name + "@" + unsigned, MaxSignatureAttempts: 5}
	if _, _, err := notation.Verify(ctx, verify, kept, options); err == nil {
		return errors.New("what nobody signed was verified")
	}
	return nil
}

// identity makes a key with a certificate that signs itself, as notation wants it: for digital signatures and code signing.
func identity() (*ecdsa.PrivateKey, *x509.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "test", Organization: []string{"Longshore"}, Country: []string{"DE"}, Province: []string{"HH"}},
		NotBefore:    time.Now().Add(-time.Minute),
		NotAfter:     time.Now().Add(time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return key, certificate, err
}
