{{/*
How a probe asks. The kubelet's gRPC probe does not speak TLS, so where the pods do, it asks by HTTPS for
the one document that needs no key; the kubelet does not check the certificate, and reads the first 10 KiB.
*/}}
{{- define "entente.ask" -}}
{{- if .Values.tls.enabled -}}
httpGet:
  path: /openapi.json
  port: grpc
  scheme: HTTPS
{{- else -}}
grpc:
  port: 50051
{{- end }}
{{- end }}

{{/* The pods that serve: the template of the Deployment and of the StatefulSet. */}}
{{- define "entente.pod" -}}
metadata:
  labels:
    {{- include "entente.selector" . | nindent 4 }}
    app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
    app.kubernetes.io/component: server
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    kubectl.kubernetes.io/default-container: entente
    checksum/config: {{ include "entente.config" . | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "entente.serviceAccountName" . }}
  automountServiceAccountToken: false
  # A service named "entente" would put ENTENTE_... into the environment, where settings are looked for.
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ include "entente.gracePeriod" . }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext: {{- include "entente.podSecurityContext" . | nindent 4 }}
  containers:
    - name: entente
      image: {{ include "entente.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: [serve, --config, /etc/entente/config/entente.toml]
      env:
        {{- include "entente.databaseEnv" . | nindent 8 }}
        - name: RUST_LOG
          value: {{ .Values.config.logFilter | quote }}
        {{- if .Values.config.otlpEndpoint }}
        - name: POD_NAME
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        # Tells the traces of one pod from those of another.
        - name: OTEL_RESOURCE_ATTRIBUTES
          value: k8s.namespace.name={{ .Release.Namespace }},k8s.pod.name=$(POD_NAME)
        {{- end }}
      ports:
        - name: grpc
          containerPort: 50051
          protocol: TCP
        {{- if .Values.metrics.enabled }}
        - name: metrics
          containerPort: 9464
          protocol: TCP
        {{- end }}
      # Ten minutes, since with SQLite a migration runs before the server listens.
      startupProbe:
        {{- include "entente.ask" . | nindent 8 }}
        periodSeconds: 5
        timeoutSeconds: 3
        failureThreshold: 120
      readinessProbe:
        {{- include "entente.ask" . | nindent 8 }}
        periodSeconds: 5
        timeoutSeconds: 3
        failureThreshold: 3
      # Asks whether the program lives, where that can be asked apart from its callers: to restart a pod
      # since it has many of them, or since the database is away, would heal nothing.
      livenessProbe:
        {{- if .Values.metrics.enabled }}
        httpGet:
          path: /metrics
          port: metrics
        {{- else }}
        {{- include "entente.ask" . | nindent 8 }}
        {{- end }}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      resources: {{- toYaml .Values.resources | nindent 8 }}
      securityContext: {{- include "entente.containerSecurityContext" . | nindent 8 }}
      volumeMounts:
        - name: config
          mountPath: /etc/entente/config
          readOnly: true
        # SQLite sorts what is large in temporary files.
        - name: tmp
          mountPath: /tmp
        {{- if not (include "entente.postgres" .) }}
        - name: data
          mountPath: /data
        {{- end }}
        {{- with include "entente.databaseCaMount" . }}
        {{- . | nindent 8 }}
        {{- end }}
        {{- if .Values.tls.enabled }}
        # Whole folders: a file mounted by subPath would never see a renewed certificate.
        - name: tls
          mountPath: /etc/entente/tls
          readOnly: true
        {{- if .Values.tls.clientCaSecret }}
        - name: client-ca
          mountPath: /etc/entente/client-ca
          readOnly: true
        {{- end }}
        {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ include "entente.fullname" . }}
    - name: tmp
      emptyDir:
        sizeLimit: 1Gi
    {{- with include "entente.databaseCaVolume" . }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- if .Values.tls.enabled }}
    - name: tls
      secret:
        secretName: {{ .Values.tls.existingSecret }}
        defaultMode: 0440
    {{- if .Values.tls.clientCaSecret }}
    - name: client-ca
      secret:
        secretName: {{ .Values.tls.clientCaSecret }}
        defaultMode: 0440
        items:
          - key: {{ .Values.tls.clientCaKey }}
            path: ca.crt
    {{- end }}
    {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{- define "entente.topologySpread" -}}
{{- if .Values.topologySpreadConstraints -}}
{{- toYaml .Values.topologySpreadConstraints }}
{{- else -}}
{{- range $index, $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
{{- if $index }}
{{ end -}}
- topologyKey: {{ $key }}
  maxSkew: 1
  whenUnsatisfiable: ScheduleAnyway
  # Counts the pods of one version: those of the old one are about to go.
  matchLabelKeys: [pod-template-hash]
  labelSelector:
    matchLabels:
      {{- include "entente.selector" $ | nindent 6 }}
      app.kubernetes.io/component: server
{{- end }}
{{- end }}
{{- end }}
