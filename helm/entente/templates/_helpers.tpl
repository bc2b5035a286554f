{{- define "entente.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" -}}
{{- end }}

{{/* Room for the longest suffix, "-headless", in the 63 letters of a name. */}}
{{- define "entente.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains (include "entente.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "entente.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{/* Labels by which pods are found; they can never change. */}}
{{- define "entente.selector" -}}
app.kubernetes.io/name: {{ include "entente.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "entente.labels" -}}
{{ include "entente.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "entente.postgres" -}}
{{- if eq .Values.database.engine "postgres" }}true{{ end -}}
{{- end }}

{{- define "entente.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "entente.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end }}

{{- define "entente.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end }}

{{/* For calls without TLS, Gateway API and others know h2c; with it, the registered name is https. */}}
{{- define "entente.appProtocol" -}}
{{- .Values.service.appProtocol | default (ternary "https" "kubernetes.io/h2c" .Values.tls.enabled) -}}
{{- end }}

{{/* Longer than the server needs at most: it goes on for shutdown_delay_seconds, lets calls end for 20 s and
     posts to subscriptions for 12 s, then closes the database and sends off its last traces. */}}
{{- define "entente.gracePeriod" -}}
{{- add (int .Values.config.shutdownDelaySeconds) 20 30 -}}
{{- end }}

{{/* What of the values contradicts itself in a way that a schema cannot express. */}}
{{- define "entente.validate" -}}
{{- with .Values.autoscaling -}}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) -}}
{{- fail "autoscaling.minReplicas is more than autoscaling.maxReplicas" -}}
{{- end -}}
{{- end -}}
{{- $gateway := .Values.gateway -}}
{{- if and $gateway.grpcRoute.enabled $gateway.httpRoute.enabled -}}
{{- range $gateway.grpcRoute.hostnames -}}
{{- if has . $gateway.httpRoute.hostnames -}}
{{- fail (printf "gateway: %s cannot be the name of a GRPCRoute and of an HTTPRoute; use two names, or the HTTPRoute alone" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and $gateway.backendTls.enabled (not .Values.tls.enabled) -}}
{{- fail "gateway.backendTls.enabled: the pods speak TLS only with tls.enabled" -}}
{{- end -}}
{{- with .Values.networkPolicy -}}
{{- if and .enabled $.Values.config.tokenIssuers (not .internet.enabled) (not .extraEgress) -}}
{{- fail "config.tokenIssuers: the network policy would keep the pods from the issuers' keys; set networkPolicy.internet.enabled or networkPolicy.extraEgress" -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* The file of settings. Strings are written as JSON, which TOML reads alike. */}}
{{- define "entente.config" -}}
{{- $config := .Values.config -}}
{{- $host := ternary "[::]" "0.0.0.0" (eq $config.listenAddress "::") -}}
listen = "{{ $host }}:50051"
{{- if .Values.metrics.enabled }}
metrics_listen = "{{ $host }}:9464"
{{- end }}
log_format = {{ $config.logFormat | toJson }}
# With PostgreSQL, the migration Job has done it before.
migrate = {{ not (include "entente.postgres" .) }}
shutdown_delay_seconds = {{ int $config.shutdownDelaySeconds }}
{{- if $config.otlpEndpoint }}
otlp_endpoint = {{ $config.otlpEndpoint | toJson }}
{{- end }}
{{- if .Values.tls.enabled }}
tls_certificate = "/etc/entente/tls/tls.crt"
tls_key = "/etc/entente/tls/tls.key"
{{- if .Values.tls.clientCaSecret }}
tls_client_ca = "/etc/entente/client-ca/ca.crt"
{{- end }}
{{- end }}
{{- if $config.corsOrigins }}
cors_origins = {{ $config.corsOrigins | toJson }}
{{- end }}
{{- if not (kindIs "invalid" $config.callsPerSecond) }}
calls_per_second = {{ int $config.callsPerSecond }}
{{- end }}
{{- if not (kindIs "invalid" $config.callsBurst) }}
calls_burst = {{ int $config.callsBurst }}
{{- end }}
{{- if $config.webhookPrivateTargets }}
webhook_private_targets = true
{{- end }}
{{- range $config.tokenIssuers }}

[[token_issuers]]
issuer = {{ .issuer | toJson }}
audience = {{ .audience | toJson }}
{{- if .keysUrl }}
keys_url = {{ .keysUrl | toJson }}
{{- end }}
{{- if .algorithms }}
algorithms = {{ .algorithms | toJson }}
{{- end }}
{{- end }}
{{ end }}

{{- define "entente.podSecurityContext" -}}
runAsNonRoot: true
{{- with .Values.podSecurity.runAsUser }}
runAsUser: {{ int64 . }}
{{- end }}
{{- with .Values.podSecurity.runAsGroup }}
runAsGroup: {{ int64 . }}
{{- end }}
{{- with .Values.podSecurity.fsGroup }}
fsGroup: {{ int64 . }}
fsGroupChangePolicy: OnRootMismatch
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "entente.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* How every command of the program finds the database. */}}
{{- define "entente.databaseEnv" -}}
{{- if include "entente.postgres" . -}}
{{- with .Values.database.postgres -}}
- name: ENTENTE_DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ .existingSecret }}
      key: {{ .urlKey }}
# What counts where the address itself does not say it.
- name: PGSSLMODE
  value: {{ .sslMode }}
{{- if .caSecret }}
- name: PGSSLROOTCERT
  value: /etc/entente/database-ca/ca.crt
{{- end }}
{{- end }}
{{- else -}}
- name: ENTENTE_DATABASE_URL
  value: sqlite:///data/entente.db
{{- end }}
{{- end }}

{{- define "entente.databaseCaMount" -}}
{{- if and (include "entente.postgres" .) .Values.database.postgres.caSecret -}}
- name: database-ca
  mountPath: /etc/entente/database-ca
  readOnly: true
{{- end }}
{{- end }}

{{- define "entente.databaseCaVolume" -}}
{{- if and (include "entente.postgres" .) .Values.database.postgres.caSecret -}}
- name: database-ca
  secret:
    secretName: {{ .Values.database.postgres.caSecret }}
    defaultMode: 0440
    items:
      - key: {{ .Values.database.postgres.caKey }}
        path: ca.crt
{{- end }}
{{- end }}

{{- define "entente.dnsEgress" -}}
- to: {{- toYaml .Values.networkPolicy.dns | nindent 4 }}
  ports:
    - {port: {{ int .Values.networkPolicy.dnsPort }}, protocol: UDP}
    - {port: {{ int .Values.networkPolicy.dnsPort }}, protocol: TCP}
{{- end }}

{{/* Rules by which the migration and the pods find names and the database. */}}
{{- define "entente.databaseEgress" -}}
{{ include "entente.dnsEgress" . }}
{{- if include "entente.postgres" . }}
- ports:
    - {port: {{ int .Values.networkPolicy.database.port }}, protocol: TCP}
  {{- with .Values.networkPolicy.database.peers }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}
