#!/bin/sh
# Makes the secrets that docker-compose.yml reads, in ./secrets. What exists already is kept.
set -eu
umask 077
folder=${1:-secrets}
mkdir -p "$folder"

keep() { # name, value
	[ -s "$folder/$1" ] || printf '%s' "$2" > "$folder/$1"
}
random() { openssl rand -base64 "$1" | tr -d '\n'; }
url_safe() { random "$1" | tr '+/' '-_'; }

password=$(url_safe 24 | tr -d '=')
keep secret_key "$(url_safe 50 | tr -d '=')"
keep otp_keys "k1:$(random 32)"
keep encryption_keys "$(url_safe 32)"
keep metrics_token "$(url_safe 32 | tr -d '=')"
keep postgres_password "$password"
keep database_url "postgres://authsvc:$(cat "$folder/postgres_password")@postgres:5432/authsvc"
# The containers' user is 10001, and secrets from files keep their owner and mode.
chmod 0444 "$folder"/*
echo "secrets are in $folder: keep a copy of otp_keys and encryption_keys somewhere safe"
