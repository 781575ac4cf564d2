"""The closed vocabularies that a visit, its transcript and the processes share; devices are in devices.py."""

from enum import StrEnum


class Mode(StrEnum):
    """How the official application is used; decides the order of steps and whether consent is asked."""

    HOME_CONSENT = "home_consent"  #: 居宅同意取得型: consent, device, authentication, answer
    QUALIFICATION_ONLY = "qualification_only"  #: 資格確認限定型: method, device, authentication, answer


class Authentication(StrEnum):
    """How the person is shown to be the token's owner."""

    PIN = "pin"  #: four digits typed on the kiosk (card, Android)
    PHONE = "phone"  #: Face ID / Touch ID on the phone, before it is held
    VISUAL = "visual"  #: 目視確認: staff compare the card's photograph with the face


class SignatureAlgorithm(StrEnum):
    """What the key of the authentication certificate can sign with; chosen by its public key, never fixed."""

    RSA_PKCS1_SHA256 = "rsa-pkcs1-sha256"  #: the certificates of today, RSA-2048
    ECDSA_P384_SHA384 = "ecdsa-p384-sha384"  #: announced for the next card (facts: 次期個人番号カード)


class FallbackReason(StrEnum):
    """Why the kiosk works in fallback operation, which never stops the sending."""

    OFFLINE = "offline"  #: found by the uploader itself, and left by itself
    FACE_READER = "face_reader"  #: 顔認証付きカードリーダーの故障; set and left by staff, like those below
    LINE = "line"  #: 回線の障害
    CENTRAL = "central"  #: システム障害の通知
    DISASTER = "disaster"  #: 災害時


class Outcome(StrEnum):
    """What came of a visit, for the counters and the story; nothing finer is counted."""

    VERIFIED = "verified"
    NOT_CONFIRMED = "not_confirmed"
    RECORDED = "recorded"
    STAFF_CALLED = "staff_called"
    ABANDONED = "abandoned"
