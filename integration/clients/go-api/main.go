// Walks through the life of a Vault with github.com/hashicorp/vault/api, as an application would, and
// checks what its caller sees: values, and the client's own error type. VAULT_ADDR names a server
// that nobody has initialised. Prints a line for each step that holds.
package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/hashicorp/vault/api"
)

type object = map[string]interface{}

var (
	client     *api.Client
	background = context.Background()
	keys       []string
	root       string
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func expect(holds bool, format string, args ...interface{}) {
	if !holds {
		panic(fmt.Sprintf(format, args...))
	}
}

// expectError wants the client's own error, of that status, with that text among Vault's.
func expectError(err error, status int, text string) {
	var response *api.ResponseError
	expect(errors.As(err, &response), "want an api.ResponseError, got %T: %v", err, err)
	expect(response.StatusCode == status, "want %d, got %v", status, err)
	expect(strings.Contains(strings.Join(response.Errors, "\n"), text), "want %q in %q", text,
		response.Errors)
}

func encoded(text string) string {
	return base64.StdEncoding.EncodeToString([]byte(text))
}

func write(path string, data object) *api.Secret {
	secret, err := client.Logical().Write(path, data)
	check(err)
	return secret
}

func read(path string) *api.Secret {
	secret, err := client.Logical().Read(path)
	check(err)
	expect(secret != nil, "%s is not there", path)
	return secret
}

func initialise() {
	initialised, err := client.Sys().InitStatus()
	check(err)
	expect(!initialised, "the server is initialised already")
	made, err := client.Sys().Init(&api.InitRequest{SecretShares: 5, SecretThreshold: 3})
	check(err)
	expect(len(made.Keys) == 5 && len(made.KeysB64) == 5, "want 5 keys, got %d", len(made.Keys))
	keys, root = made.KeysB64, made.RootToken
	client.SetToken(root)
	_, err = client.Sys().Init(&api.InitRequest{SecretShares: 5, SecretThreshold: 3})
	expectError(err, 400, "Vault is already initialized")
}

func sealedAtFirst() {
	_, err := client.Logical().Read("sys/mounts")
	expectError(err, 503, "Vault is sealed")
	health, err := client.Sys().Health()
	check(err)
	expect(health.Initialized && health.Sealed, "want initialised and sealed, got %+v", health)
}

func unseal() {
	for i, key := range keys[:3] {
		state, err := client.Sys().Unseal(key)
		check(err)
		expect(state.Sealed == (i < 2), "key %d: sealed is %v", i+1, state.Sealed)
		expect(state.Progress == (i+1)%3, "key %d: progress is %d", i+1, state.Progress)
	}
	state, err := client.Sys().SealStatus()
	check(err)
	expect(!state.Sealed && state.T == 3 && state.N == 5, "got %+v", state)
	leader, err := client.Sys().Leader()
	check(err)
	expect(!leader.HAEnabled, "want no high availability, got %+v", leader)
}

func mount() {
	check(client.Sys().Mount("transit", &api.MountInput{Type: "transit", Description: "for signing"}))
	err := client.Sys().Mount("transit", &api.MountInput{Type: "transit"})
	expectError(err, 400, "path is already in use at transit/")
	err = client.Sys().Mount("odd", &api.MountInput{Type: "nonsense"})
	expectError(err, 400, "plugin not found in the catalog: nonsense")
	mounts, err := client.Sys().ListMounts()
	check(err)
	expect(mounts["transit/"].Type == "transit", "got %v", mounts["transit/"])
	expect(mounts["transit/"].Description == "for signing", "got %v", mounts["transit/"])
}

func createKeys() {
	write("transit/keys/signing", object{"type": "ecdsa-p256"})
	write("transit/keys/boxes", nil)
	list, err := client.Logical().List("transit/keys")
	check(err)
	expect(fmt.Sprint(list.Data["keys"]) == "[boxes signing]", "got %v", list.Data["keys"])
	key := read("transit/keys/signing")
	expect(key.Data["type"] == "ecdsa-p256", "got %v", key.Data["type"])
	_, err = client.Logical().Write("transit/keys/odd", object{"type": "nonsense"})
	expectError(err, 400, "unknown key type nonsense")
	missing, err := client.Logical().Read("transit/keys/nobody")
	check(err)
	expect(missing == nil, "want nothing, got %v", missing)
}

func sign() {
	signed := write("transit/sign/signing", object{"input": encoded("a manifest")})
	signature := signed.Data["signature"].(string)
	expect(strings.HasPrefix(signature, "vault:v1:"), "got %s", signature)
	for text, valid := range map[string]bool{"a manifest": true, "another": false} {
		verified := write("transit/verify/signing",
			object{"input": encoded(text), "signature": signature})
		expect(verified.Data["valid"] == valid, "%s: got %v", text, verified.Data["valid"])
	}
	_, err := client.Logical().Write("transit/sign/signing", object{"input": "%%%"})
	expectError(err, 400, "unable to decode input as base64")
	_, err = client.Logical().Write("transit/sign/nobody", object{"input": encoded("x")})
	expectError(err, 400, "signing key not found")
}

func encrypt() {
	sealed := write("transit/encrypt/boxes", object{"plaintext": encoded("secret")})
	first := sealed.Data["ciphertext"].(string)
	expect(strings.HasPrefix(first, "vault:v1:"), "got %s", first)
	write("transit/keys/boxes/rotate", nil)
	again := write("transit/rewrap/boxes", object{"ciphertext": first}).Data["ciphertext"].(string)
	expect(strings.HasPrefix(again, "vault:v2:"), "got %s", again)
	for _, text := range []string{first, again} {
		opened := write("transit/decrypt/boxes", object{"ciphertext": text})
		expect(opened.Data["plaintext"] == encoded("secret"), "got %v", opened.Data)
	}
	_, err := client.Logical().Write("transit/decrypt/boxes", object{"ciphertext": "nonsense"})
	expectError(err, 400, "invalid ciphertext: no prefix")
}

func batch() {
	items := []object{{"plaintext": encoded("one")}, {"plaintext": encoded("two")}}
	sealed := write("transit/encrypt/boxes", object{"batch_input": items})
	results := sealed.Data["batch_results"].([]interface{})
	expect(len(results) == 2, "got %v", results)
	opened := write("transit/decrypt/boxes", object{"batch_input": results})
	for i, text := range []string{"one", "two"} {
		got := opened.Data["batch_results"].([]interface{})[i].(object)["plaintext"]
		expect(got == encoded(text), "item %d: got %v", i, got)
	}
	signed := write("transit/sign/signing",
		object{"batch_input": []object{{"input": encoded("one"), "reference": "a"}, {"input": encoded("two")}}})
	first := signed.Data["batch_results"].([]interface{})[0].(object)
	expect(first["reference"] == "a" && first["signature"] != nil, "got %v", first)
	// An item that fails makes the status a 400, whose body the client cannot take for an error.
	_, err := client.Logical().Write("transit/decrypt/boxes",
		object{"batch_input": []object{results[0].(object), {"ciphertext": "nonsense"}}})
	var response *api.ResponseError
	expect(errors.As(err, &response) && response.StatusCode == 400, "got %v", err)
}

func tokens() {
	child, err := client.Auth().Token().Create(&api.TokenCreateRequest{
		Policies: []string{"default"}, TTL: "1h", Metadata: map[string]string{"who": "go"}})
	check(err)
	expect(child.Auth.Renewable && child.Auth.LeaseDuration == 3600, "got %+v", child.Auth)
	self, err := client.Auth().Token().Lookup(child.Auth.ClientToken)
	check(err)
	policies, err := self.TokenPolicies()
	check(err)
	expect(strings.Join(policies, ",") == "default", "got %v", policies)
	client.SetToken(child.Auth.ClientToken)
	_, err = client.Logical().Write("transit/sign/signing", object{"input": encoded("x")})
	expectError(err, 403, "permission denied")
	_, err = client.Auth().Token().RenewSelf(7200)
	check(err)
	check(client.Auth().Token().RevokeSelf(""))
	_, err = client.Auth().Token().LookupSelf()
	expectError(err, 403, "permission denied")
	client.SetToken(root)
}

func policies() {
	check(client.Sys().PutPolicy("signer", `path "transit/sign/*" { capabilities = ["update"] }`))
	names, err := client.Sys().ListPolicies()
	check(err)
	expect(strings.Join(names, ",") == "default,signer,root", "got %v", names)
	text, err := client.Sys().GetPolicy("signer")
	check(err)
	expect(strings.Contains(text, "transit/sign/*"), "got %s", text)
	child, err := client.Auth().Token().Create(&api.TokenCreateRequest{Policies: []string{"signer"}})
	check(err)
	can, err := client.Sys().Capabilities(child.Auth.ClientToken, "transit/sign/signing")
	check(err)
	expect(strings.Join(can, ",") == "update", "got %v", can)
	client.SetToken(child.Auth.ClientToken)
	write("transit/sign/signing", object{"input": encoded("allowed")})
	_, err = client.Logical().Read("transit/keys/signing")
	expectError(err, 403, "permission denied")
	client.SetToken(root)
}

func wrapping() {
	client.SetWrappingLookupFunc(func(operation, path string) string {
		if path == "transit/keys/signing" {
			return "1m"
		}
		return ""
	})
	wrapped := read("transit/keys/signing")
	client.SetWrappingLookupFunc(nil)
	expect(wrapped.WrapInfo != nil && wrapped.WrapInfo.TTL == 60, "got %+v", wrapped.WrapInfo)
	opened, err := client.Logical().Unwrap(wrapped.WrapInfo.Token)
	check(err)
	expect(opened.Data["type"] == "ecdsa-p256", "got %v", opened.Data)
	_, err = client.Logical().Unwrap(wrapped.WrapInfo.Token)
	expectError(err, 400, "wrapping token is not valid or does not exist")
}

func keyValue() {
	check(client.Sys().Mount("config", &api.MountInput{Type: "kv", Options: map[string]string{"version": "2"}}))
	kv := client.KVv2("config")
	for _, colour := range []string{"red", "blue"} {
		_, err := kv.Put(background, "app", object{"colour": colour})
		check(err)
	}
	got, err := kv.Get(background, "app")
	check(err)
	expect(got.Data["colour"] == "blue" && got.VersionMetadata.Version == 2, "got %+v", got)
	got, err = kv.GetVersion(background, "app", 1)
	check(err)
	expect(got.Data["colour"] == "red", "got %+v", got)
	_, err = kv.Get(background, "nobody")
	expect(errors.Is(err, api.ErrSecretNotFound), "want ErrSecretNotFound, got %v", err)
	_, err = kv.Put(background, "app", object{"colour": "green"}, api.WithCheckAndSet(1))
	expectError(err, 400, "check-and-set parameter did not match the current version")
}

func refusals() {
	client.SetToken("s.nobody")
	_, err := client.Logical().Read("transit/keys/signing")
	expectError(err, 403, "permission denied")
	client.SetToken(root)
	_, err = client.Logical().Write("nowhere/at/all", object{"a": "b"})
	expectError(err, 404, "no handler for route")
	_, err = client.Logical().Delete("transit/keys/signing")
	expectError(err, 400, "deletion is not allowed for this key")
	check(client.Sys().Unmount("config"))
}

func seal() {
	check(client.Sys().Seal())
	_, err := client.Logical().Write("transit/sign/signing", object{"input": encoded("x")})
	expectError(err, 503, "Vault is sealed")
	state, err := client.Sys().ResetUnsealProcess()
	check(err)
	expect(state.Sealed && state.Progress == 0, "got %+v", state)
}

func main() {
	config := api.DefaultConfig()
	check(config.Error)
	config.MaxRetries = 0
	var err error
	client, err = api.NewClient(config)
	check(err)
	steps := []struct {
		name string
		run  func()
	}{
		{"init", initialise}, {"sealed", sealedAtFirst}, {"unseal", unseal}, {"mount", mount},
		{"keys", createKeys}, {"sign", sign}, {"encrypt", encrypt}, {"batch", batch},
		{"tokens", tokens}, {"policies", policies}, {"wrapping", wrapping}, {"kv", keyValue},
		{"refusals", refusals}, {"seal", seal},
	}
	failed := 0
	for _, step := range steps {
		if !holds(step.name, step.run) {
			failed++
		}
	}
	if failed > 0 {
		os.Exit(1)
	}
}

func holds(name string, run func()) (good bool) {
	defer func() {
		if reason := recover(); reason != nil {
			fmt.Printf("failed %s: %v\n", name, reason)
			client.SetToken(root)
			client.SetWrappingLookupFunc(nil)
		}
	}()
	run()
	fmt.Println("ok", name)
	return true
}
