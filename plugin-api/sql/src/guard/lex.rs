//! Rewrites a statement from its tokens, so that the text that runs is the text that was judged.
//!
//! Comments become a space. Every kind of quoting that the parser and a database might read differently
//! (dollar quotes, `E''`, `U&''`, backticks, brackets, backslashes on PostgreSQL's edge) is refused.

use sqlparser::{
    dialect::Dialect,
    tokenizer::{Token, Tokenizer, Whitespace},
};

use crate::SqlError;

/// Tokens for the parser and the text to run.
pub(super) struct Lexed {
    pub tokens: Vec<Token>,
    pub text: String,
}

/// Split, check and rebuild.
pub(super) fn lex(dialect: &dyn Dialect, sql: &str) -> Result<Lexed, SqlError> {
    if sql.contains('\0') {
        return Err(SqlError::refused("it holds a NUL character"));
    }
    let tokens = Tokenizer::new(dialect, sql)
        .with_unescape(false)
        .tokenize()
        .map_err(|e| SqlError::Syntax(e.to_string()))?;
    let mut out = Vec::with_capacity(tokens.len());
    let mut text = String::with_capacity(sql.len());
    for token in tokens {
        match token {
            Token::Whitespace(_) => {
                out.push(Token::Whitespace(Whitespace::Space));
                text.push(' ');
            }
            token => {
                check(&token)?;
                text.push_str(&token.to_string());
                out.push(token);
            }
        }
    }
    end(&mut out, &mut text)?;
    Ok(Lexed { tokens: out, text })
}

/// One `;` may end the statement; none may stand inside.
fn end(tokens: &mut Vec<Token>, text: &mut String) -> Result<(), SqlError> {
    while matches!(tokens.last(), Some(Token::Whitespace(_) | Token::SemiColon | Token::EOF)) {
        if tokens.pop() != Some(Token::EOF) {
            text.pop();
        }
    }
    if tokens.contains(&Token::SemiColon) {
        return Err(SqlError::refused("one statement a call"));
    }
    if tokens.is_empty() {
        return Err(SqlError::Syntax("it is empty".into()));
    }
    Ok(())
}

fn check(token: &Token) -> Result<(), SqlError> {
    match token {
        Token::Word(word) => match word.quote_style {
            None if word.value.contains('$') => refuse(token),
            None | Some('"') if !word.value.contains('"') => Ok(()),
            _ => refuse(token),
        },
        Token::SingleQuotedString(_) | Token::Number(..) => Ok(()),
        Token::Placeholder(p)
            if p.strip_prefix(['?', '$']).is_some_and(|d| d.bytes().all(|b| b.is_ascii_digit())) =>
        {
            Ok(())
        }
        Token::Char(_)
        | Token::DoubleQuotedString(_)
        | Token::Placeholder(_)
        | Token::DollarQuotedString(_)
        | Token::NationalStringLiteral(_)
        | Token::EscapedStringLiteral(_)
        | Token::UnicodeStringLiteral(_)
        | Token::HexStringLiteral(_)
        | Token::Backslash
        | Token::LBrace
        | Token::RBrace
        | Token::CustomBinaryOperator(_)
        | Token::AtSign
        | Token::Assignment
        | Token::Sharp
        | Token::DuckIntDiv => refuse(token),
        other if quoted_otherwise(other) => refuse(token),
        _ => Ok(()),
    }
}

fn quoted_otherwise(token: &Token) -> bool {
    matches!(
        token,
        Token::TripleSingleQuotedString(_)
            | Token::TripleDoubleQuotedString(_)
            | Token::SingleQuotedByteStringLiteral(_)
            | Token::DoubleQuotedByteStringLiteral(_)
            | Token::TripleSingleQuotedByteStringLiteral(_)
            | Token::TripleDoubleQuotedByteStringLiteral(_)
            | Token::SingleQuotedRawStringLiteral(_)
            | Token::DoubleQuotedRawStringLiteral(_)
            | Token::TripleSingleQuotedRawStringLiteral(_)
            | Token::TripleDoubleQuotedRawStringLiteral(_)
            | Token::QuoteDelimitedStringLiteral(_)
            | Token::NationalQuoteDelimitedStringLiteral(_)
    )
}

fn refuse(token: &Token) -> Result<(), SqlError> {
    let shown: String = token.to_string().chars().take(40).collect();
    Err(SqlError::refused(format!(
        "`{shown}` is a form of text or name that engines may not use; bind values instead"
    )))
}
